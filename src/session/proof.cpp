// SPDX-License-Identifier: Apache-2.0
#include "session/proof.hpp"

#include "pgwire/sqlstate.hpp"

#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

auth::LoginDecision Proof::decide() const {
  const ClientCertificate* shown = identity_.certificate();
  const std::string os_user = identity_.os_user_name();
  auth::Claim claim{.login = {.is_unix = identity_.came_by_unix_socket(),
                              .is_encrypted = client_.is_encrypted,
                              .address = identity_.client_ip(),
                              .user = identity_.user(),
                              .database = identity_.database(),
                              .is_physical_replication = client_.is_physical_replication},
                    .os_user = os_user,
                    .may_show_password = client_.may_show_password};
  if (shown != nullptr) claim.certificate = {shown->common_name, shown->distinguished_name};
  return auth::decide(*rules_, claim);
}

Proof::Next Proof::begin() {
  const auth::LoginDecision decision = decide();
  rule_ = decision.rule;
  has_his_certificate_ = decision.has_his_certificate;
  return follow(decision);
}

// In PostgreSQL's words.
std::string Proof::who() const {
  std::string all = "host \"" +
                    (identity_.came_by_unix_socket() ? "[local]" : identity_.client_ip()) +
                    "\", user \"" + identity_.user() + "\"";
  if (!client_.is_physical_replication) all += ", database \"" + identity_.database() + "\"";
  return all + (client_.is_encrypted ? ", SSL encryption" : ", no encryption");
}

Proof::Next Proof::follow(const auth::LoginDecision& decision) {
  using Kind = auth::LoginDecision::Kind;
  const std::string replication = client_.is_physical_replication ? "replication " : "";
  switch (decision.kind) {
    case Kind::let_in: credentials_.emplace(); return Next::done;
    case Kind::server_asks: return Next::done;
    case Kind::ask: return challenge(decision.challenge);
    case Kind::no_rule:
      return refuse(sqlstate::kInvalidAuthorization,
                    "no pg_hba.conf entry for " +
                        (replication.empty() ? "" : replication + "connection from ") + who());
    case Kind::rejected:
      return refuse(sqlstate::kInvalidAuthorization,
                    "pg_hba.conf rejects " + replication + "connection for " + who());
    case Kind::no_certificate:
      return refuse(sqlstate::kInvalidAuthorization,
                    "connection requires a valid client certificate");
    case Kind::other_certificate: return refuse_certificate();
    case Kind::other_os_user:
      return refuse(sqlstate::kInvalidAuthorization,
                    "Peer authentication failed for user \"" + identity_.user() + "\"");
    case Kind::password_in_clear: break;
  }
  return refuse(sqlstate::kInvalidAuthorization,
                "a password would cross the network in clear: connect with TLS (sslmode=require)");
}

Proof::Next Proof::refuse_certificate() {
  return refuse(sqlstate::kInvalidAuthorization,
                "certificate authentication failed for user \"" + identity_.user() + "\"");
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
  const Next next = take(challenge_->resume(body));
  return next == Next::done && !has_his_certificate_ ? refuse_certificate() : next;
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
