// SPDX-License-Identifier: Apache-2.0

#include "auth/login_decision.hpp"

namespace helios::auth {
namespace {

using Kind = LoginDecision::Kind;

Kind decide_password(const Claim& claim) {
  const bool is_private =
      claim.login.is_encrypted || claim.login.is_unix || claim.may_show_password;
  return is_private ? Kind::ask : Kind::password_in_clear;
}

Kind decide_peer(const LoginRules& rules, const HostRule& rule, const Claim& claim) {
  const bool may_be = !claim.os_user.empty() && rules.allows(rule, claim.os_user, claim.login.user);
  return may_be ? Kind::let_in : Kind::other_os_user;
}

// By the rule's method.
void decide_method(const LoginRules& rules, const Claim& claim, LoginDecision& out) {
  switch (out.rule->method) {
    case Method::reject: out.kind = Kind::rejected; break;
    case Method::passthrough: out.kind = Kind::server_asks; break;
    case Method::trust:
    case Method::cert: out.kind = Kind::let_in; break;
    case Method::peer: out.kind = decide_peer(rules, *out.rule, claim); break;
    case Method::password:
      out.challenge = Challenge::Method::password;
      out.kind = decide_password(claim);
      break;
    case Method::md5:
      out.challenge = Challenge::Method::md5;
      out.kind = Kind::ask;
      break;
    case Method::scram_sha_256: out.kind = Kind::ask; break;
  }
}

// Requires: there is a certificate.
void compare_name(const LoginRules& rules, const Claim& claim, LoginDecision& out) {
  if (out.rule->clientcert != ClientCertificate::verify_full) return;
  out.certificate_name = out.rule->clientname == CertificateName::dn
                             ? claim.certificate->distinguished_name
                             : claim.certificate->common_name;
  out.has_his_certificate = rules.allows(*out.rule, out.certificate_name, claim.login.user);
}

}  // namespace

LoginDecision decide(const LoginRules& rules, const Claim& claim) {
  LoginDecision decision{.rule = rules.find(claim.login)};
  if (decision.rule == nullptr) return decision;
  if (decision.rule->clientcert != ClientCertificate::none) {
    if (!claim.certificate) {
      decision.kind = Kind::no_certificate;
      return decision;
    }
    compare_name(rules, claim, decision);
  }
  decide_method(rules, claim, decision);
  const bool is_in = decision.kind == Kind::let_in || decision.kind == Kind::server_asks;
  if (is_in && !decision.has_his_certificate) decision.kind = Kind::other_certificate;
  return decision;
}

}  // namespace helios::auth
