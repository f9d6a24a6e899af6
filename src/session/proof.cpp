// SPDX-License-Identifier: Apache-2.0
#include "session/proof.hpp"

#include "pgwire/sqlstate.hpp"

#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

Proof::Next Proof::begin() {
  const auth::Login login{.is_unix = identity_.came_by_unix_socket(),
                          .is_encrypted = client_.is_encrypted,
                          .address = identity_.client_ip(),
                          .user = identity_.user(),
                          .database = identity_.database(),
                          .is_physical_replication = client_.is_physical_replication};
  const auth::HostRule* rule = rules_->find(login);
  if (rule != nullptr) {
    rule_ = rule;
    return check_name(follow(*rule));
  }
  return refuse(sqlstate::kInvalidAuthorization,
                std::string("no pg_hba.conf entry for ") +
                    (client_.is_physical_replication ? "replication connection from " : "") +
                    who());
}

// In PostgreSQL's words.
std::string Proof::who() const {
  std::string all = "host \"" +
                    (identity_.came_by_unix_socket() ? "[local]" : identity_.client_ip()) +
                    "\", user \"" + identity_.user() + "\"";
  if (!client_.is_physical_replication) all += ", database \"" + identity_.database() + "\"";
  return all + (client_.is_encrypted ? ", SSL encryption" : ", no encryption");
}

Proof::Next Proof::follow(const auth::HostRule& rule) {
  using Method = auth::Method;
  if (rule.clientcert != auth::ClientCertificate::none && identity_.certificate() == nullptr)
    return refuse(sqlstate::kInvalidAuthorization,
                  "connection requires a valid client certificate");
  switch (rule.method) {
    case Method::passthrough: return Next::done;
    case Method::trust:
    case Method::cert: credentials_.emplace(); return Next::done;
    case Method::peer: return judge_os_user(rule);
    case Method::password:
      if (client_.is_encrypted || identity_.came_by_unix_socket() || client_.may_show_password)
        return challenge(auth::Challenge::Method::password);
      return refuse(sqlstate::kInvalidAuthorization,
                    "a password would cross the network in clear: connect with TLS "
                    "(sslmode=require)");
    case Method::md5: return challenge(auth::Challenge::Method::md5);
    case Method::scram_sha_256: return challenge(auth::Challenge::Method::scram);
    case Method::reject: break;
  }
  return refuse(sqlstate::kInvalidAuthorization,
                std::string("pg_hba.conf rejects ") +
                    (client_.is_physical_replication ? "replication " : "") + "connection for " +
                    who());
}

Proof::Next Proof::judge_os_user(const auth::HostRule& rule) {
  const std::string name = identity_.os_user_name();
  if (name.empty() || !rules_->allows(rule, name, identity_.user()))
    return refuse(sqlstate::kInvalidAuthorization,
                  "Peer authentication failed for user \"" + identity_.user() + "\"");
  credentials_.emplace();
  return Next::done;
}

Proof::Next Proof::challenge(auth::Challenge::Method method) {
  challenge_.emplace(auth::Challenge::Options{.method = method,
                                              .user = identity_.user(),
                                              .secret = rules_->secret_of(identity_.user()),
                                              .mock_secret = rules_->mock_secret(),
                                              .mock_iterations = rules_->mock_iterations(),
                                              .channel_binding = identity_.channel_binding()});
  return take(challenge_->begin());
}

Proof::Next Proof::resume(std::string_view body) {
  return check_name(take(challenge_->resume(body)));
}

// Who has proved himself by another method comes to this last, as in PostgreSQL: what a certificate is worth, only its owner
// is told.
Proof::Next Proof::check_name(Next next) {
  if (next != Next::done || rule_->clientcert != auth::ClientCertificate::verify_full) return next;
  const ClientCertificate& shown = *identity_.certificate();
  const std::string& name =
      rule_->clientname == auth::CertificateName::dn ? shown.distinguished_name : shown.common_name;
  if (rules_->allows(*rule_, name, identity_.user())) return next;
  return refuse(sqlstate::kInvalidAuthorization,
                "certificate authentication failed for user \"" + identity_.user() + "\"");
}

Proof::Next Proof::take(auth::Challenge::Step step) {
  using Kind = auth::Challenge::Step::Kind;
  switch (step.kind) {
    case Kind::ask: message_ = std::move(step.text); return Next::ask;
    case Kind::right:
      message_ = std::move(step.text);
      credentials_ = challenge_->take_credentials();
      return Next::done;
    case Kind::wrong:
      return refuse(sqlstate::kInvalidPassword,
                    "password authentication failed for user \"" + identity_.user() + "\"");
    case Kind::malformed: break;
  }
  refusal_ = Refusal{std::string(sqlstate::kProtocolViolation), std::move(step.text), 0};
  return Next::malformed;
}

Proof::Next Proof::refuse(std::string_view sqlstate, std::string message) {
  refusal_ = Refusal{std::string(sqlstate), std::move(message), 0};
  return Next::refuse;
}

}  // namespace helios::session
