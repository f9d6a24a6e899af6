// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the host rules make of a login, as far as it can be said before anybody is asked for anything: the one place that decides
// it, for the session that lets clients in and for whoever only wants to know.
//
// Thread rule: any thread.

#include "auth/challenge.hpp"
#include "auth/host_rule.hpp"
#include "auth/login_rules.hpp"

#include <optional>
#include <string_view>

namespace helios::auth {

// The names in a certificate that an authority vouches for.
struct ShownCertificate {
  std::string_view common_name;
  std::string_view distinguished_name;
};

// Who wants in, with all that he has shown unasked. Views: until the call that is given it returns.
struct Claim {
  Login login = {};
  std::string_view os_user = {};  // who the system says that he is; empty: it says nothing
  std::optional<ShownCertificate> certificate = {};
  bool may_show_password =
      false;  // in clear, on a connection by TCP that is ([auth] allow_cleartext_passwords)
};

struct LoginDecision {
  enum class Kind {
    // He is refused:
    no_rule,
    rejected,           // by the rule
    no_certificate,     // the rule wants one
    other_os_user,      // the rule's map does not let this one be the user
    other_certificate,  // nor the name in this one
    password_in_clear,  // he would have to show one to everybody
    // Or not:
    let_in,       // without being asked
    ask,          // by `challenge`; it is he if he can answer, and has_his_certificate
    server_asks,  // the server authenticates him
  };
  Kind kind = Kind::no_rule;
  const HostRule* rule = nullptr;  // of the rules; null: no_rule
  Challenge::Method challenge = Challenge::Method::scram;
  // The rule's wish for a name in it is met. Where he is asked it counts behind the proof, as in PostgreSQL: what a certificate is
  // worth, only its owner is told.
  bool has_his_certificate = true;
  // The name that was compared; empty: none was.
  std::string_view certificate_name = {};  // of the claim
};

// Lives as long as `rules` and what the claim's views show.
[[nodiscard]] LoginDecision decide(const LoginRules& rules, const Claim& claim);

}  // namespace helios::auth
