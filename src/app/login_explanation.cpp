// SPDX-License-Identifier: Apache-2.0
#include "app/login_explanation.hpp"

#include "app/hmac_key.hpp"
#include "app/login_rules.hpp"
#include "auth/login_decision.hpp"
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

  [[nodiscard]] auth::Claim claim() const {
    auth::Claim claim{.login = {.is_unix = is_unix(),
                                .is_encrypted = question_.is_encrypted,
                                .address = question_.address,
                                .user = question_.user,
                                .database = database_,
                                .is_physical_replication = question_.is_replication},
                      .os_user = question_.os_user,
                      .may_show_password = config_.auth.allow_cleartext_passwords};
    if (certificate_)
      claim.certificate = {certificate_->common_name, certificate_->distinguished_name};
    return claim;
  }

  bool check_rule() {
    if (rules_ == nullptr) {
      say("login", "by the server: there is no [auth] hba_file");
      return true;
    }
    const auth::Claim claimed = claim();
    const auth::LoginDecision decision = auth::decide(*rules_, claimed);
    if (decision.rule == nullptr) {
      say("rule", "none fits: FATAL 28000, no pg_hba.conf entry");
      return false;
    }
    say("rule", shown(decision.rule->place + ": " + decision.rule->text));
    return explain_certificate(decision) && explain_method(decision);
  }

  bool explain_certificate(const auth::LoginDecision& decision) {
    if (decision.certificate_name.empty() && decision.has_his_certificate) return true;
    say("login", "the certificate's name, \"" + shown(decision.certificate_name) + "\", " +
                     (decision.has_his_certificate ? "may be this user" : "is not this user"));
    return decision.has_his_certificate;
  }

  bool explain_method(const auth::LoginDecision& decision) {
    using Kind = auth::LoginDecision::Kind;
    const std::string method(name_of(decision.rule->method));
    const std::string os_user = "OS user \"" + shown(question_.os_user) + "\" ";
    switch (decision.kind) {
      case Kind::let_in:
        say("login", decision.rule->method == auth::Method::peer ? os_user + "may be this user"
                                                                 : "by " + method);
        return true;
      case Kind::server_asks: say("login", "by " + method); return true;
      case Kind::ask: return explain_secret(decision);
      case Kind::rejected: say("login", "this line rejects"); return false;
      case Kind::no_certificate:
        say("login", "he has to show a certificate, and --cert names none");
        return false;
      case Kind::other_os_user:
        say("login",
            os_user + "is not this user" + (question_.os_user.empty() ? " (--os-user)" : ""));
        return false;
      case Kind::password_in_clear:
        say("login",
            "his password would cross the network in clear: with TLS he could come (--tls)");
        return false;
      case Kind::no_rule:
      case Kind::other_certificate: break;  // that was said
    }
    return false;
  }

  bool explain_secret(const auth::LoginDecision& decision) {
    const auth::StoredSecret& secret = rules_->secret_of(question_.user);
    const std::string has = std::holds_alternative<std::monostate>(secret)         ? "nothing"
                            : std::holds_alternative<auth::StoredPassword>(secret) ? "a password"
                            : std::holds_alternative<auth::Md5Hash>(secret)        ? "an md5 hash"
                                                                            : "a SCRAM verifier";
    const bool can_be = auth::Challenge::is_provable(decision.challenge, secret);
    say("login", "by " + std::string(name_of(decision.rule->method)) + "; user_file has " + has +
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
