// SPDX-License-Identifier: Apache-2.0
#include "app/login_explanation.hpp"

#include "app/hmac_key.hpp"
#include "app/login_rules.hpp"
#include "base/text.hpp"
#include "session/identity_rules.hpp"
#include "tls/certificate_names.hpp"

#include <optional>
#include <utility>

namespace helios::app {
namespace {

constexpr std::size_t kMaxShownBytes = 400;

std::string shown(std::string_view text) { return base::escape_for_log(text, kMaxShownBytes); }

class Explainer {
 public:
  Explainer(const config::Config& config, const auth::LoginRules* rules,
            const LoginQuestion& question, std::optional<tls::CertificateNames> certificate)
      : config_(config),
        rules_(rules),
        question_(question),
        certificate_(std::move(certificate)),
        database_(question.database.empty() ? question.user : question.database) {}

  LoginExplanation explain() && {
    say("client", client());
    result_.may_get_in = check_tls() && check_rule();
    explain_identity();
    explain_limits();
    say("result", result_.may_get_in ? "let in, if he has what is asked for" : "refused");
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_unix() const { return question_.address.empty(); }

  void say(std::string_view word, const std::string& what) {
    constexpr std::size_t kColumn = 10;
    result_.text += std::string(word) + std::string(kColumn - word.size(), ' ') + what + "\n";
  }

  [[nodiscard]] std::string client() const {
    std::string all = shown(question_.user) + "@" + shown(database_);
    all += is_unix() ? ", by the Unix socket" : " from " + shown(question_.address);
    if (!is_unix()) all += question_.is_encrypted ? ", TLS" : ", in clear";
    if (question_.is_replication) all += ", replication";
    if (certificate_) all += ", certificate " + shown(certificate_->distinguished_name);
    return all;
  }

  bool check_tls() {
    if (is_unix()) return true;
    const bool is_there = config_.tls.mode != config::TlsMode::disable;
    if (question_.is_encrypted && !is_there) {
      say("tls", "there is none: [tls] has no certificate");
      return false;
    }
    if (!question_.is_encrypted && config_.tls.mode == config::TlsMode::require) {
      say("tls", "connections without TLS are not accepted ([tls] mode = \"require\")");
      return false;
    }
    return true;
  }

  bool check_rule() {
    if (rules_ == nullptr) {
      say("login", "by the server: there is no [auth] hba_file");
      return true;
    }
    const auth::HostRule* rule =
        rules_->find({.is_unix = is_unix(),
                      .is_encrypted = question_.is_encrypted,
                      .address = question_.address,
                      .user = question_.user,
                      .database = database_,
                      .is_physical_replication = question_.is_replication});
    if (rule == nullptr) {
      say("rule", "none fits: FATAL 28000, no pg_hba.conf entry");
      return false;
    }
    say("rule", shown(rule->place + ": " + rule->text));
    return check_certificate(*rule) && check_method(*rule);
  }

  bool check_certificate(const auth::HostRule& rule) {
    if (rule.clientcert == auth::ClientCertificate::none) return true;
    if (!certificate_) {
      say("login", "he has to show a certificate, and --cert names none");
      return false;
    }
    if (rule.clientcert != auth::ClientCertificate::verify_full) return true;
    const std::string& name = rule.clientname == auth::CertificateName::dn
                                  ? certificate_->distinguished_name
                                  : certificate_->common_name;
    const bool fits = rules_->allows(rule, name, question_.user);
    say("login", "the certificate's name, \"" + shown(name) + "\", " +
                     (fits ? "may be this user" : "is not this user"));
    return fits;
  }

  bool check_method(const auth::HostRule& rule) {
    using Method = auth::Method;
    switch (rule.method) {
      case Method::reject: say("login", "this line rejects"); return false;
      case Method::peer: {
        const bool fits = rules_->allows(rule, question_.os_user, question_.user);
        say("login", "OS user \"" + shown(question_.os_user) + "\" " +
                         (fits ? "may be this user" : "is not this user") +
                         (question_.os_user.empty() ? " (--os-user)" : ""));
        return fits;
      }
      case Method::password:
      case Method::md5:
      case Method::scram_sha_256: return check_secret(rule);
      case Method::trust:
      case Method::cert:
      case Method::passthrough: say("login", "by " + std::string(name_of(rule.method)));
    }
    return true;
  }

  bool check_secret(const auth::HostRule& rule) {
    const auth::StoredSecret& secret = rules_->secret_of(question_.user);
    const bool is_md5 = std::holds_alternative<auth::Md5Hash>(secret);
    const std::string has = std::holds_alternative<std::monostate>(secret)         ? "nothing"
                            : std::holds_alternative<auth::StoredPassword>(secret) ? "a password"
                            : is_md5                                               ? "an md5 hash"
                                     : "a SCRAM verifier";
    const bool can_be = has != "nothing" && !(is_md5 && rule.method == auth::Method::scram_sha_256);
    say("login", "by " + std::string(name_of(rule.method)) + "; user_file has " + has +
                     " for this user" + (can_be ? "" : ", so that nobody gets in as him"));
    return can_be;
  }

  void explain_identity() {
    const auto match = session::match_rules(config_.identity, {.user = question_.user,
                                                               .database = database_,
                                                               .ip = question_.address,
                                                               .os_user = question_.os_user});
    if (!match) return say("identity", "no rule of [[identity.rules]] fits");
    std::string all = "rule " + std::to_string(match->rule - config_.identity.rules.data() + 1);
    for (const auto& [name, value] : match->settings)
      all += ", " + name + " = \"" + shown(value) + "\"";
    say("identity", all);
  }

  void explain_limits() {
    const auto limit = [](std::uint32_t number) {
      return number == 0 ? std::string("none") : std::to_string(number);
    };
    say("limits", "connections of one user: " + limit(config_.limits.max_user_connections) +
                      ", to one database: " + limit(config_.limits.max_database_connections) +
                      ", all: " + limit(config_.limits.max_connections));
  }

  const config::Config& config_;
  const auth::LoginRules* rules_;
  const LoginQuestion& question_;
  const std::optional<tls::CertificateNames> certificate_;
  const std::string database_;
  LoginExplanation result_;
};

}  // namespace

base::Result<LoginExplanation> explain_login(const config::Config& config,
                                             const LoginQuestion& question) {
  std::optional<tls::CertificateNames> certificate;
  if (!question.certificate_file.empty()) {
    auto names = tls::read_certificate_names(question.certificate_file);
    if (!names) return std::unexpected(names.error());
    certificate = *std::move(names);
  }
  // What unknown users would be shown does not matter here.
  const auto rules = load_login_rules(config, random_hmac_key());
  if (!rules) return std::unexpected(rules.error());
  return Explainer(config, rules->get(), question, std::move(certificate)).explain();
}

}  // namespace helios::app
