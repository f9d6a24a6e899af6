// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a client is who he says, by the proxy's own rules ([auth] hba_file): the first host rule that fits says how he has
// to show it. Without such rules, or by a rule that says `passthrough`, the server finds out.
//
// Flow: begin(), then resume() with each 'p' message of the client, while they say `ask`.
//
// Thread rule: the session's. Lifetime: `identity` outlives it.

#include "auth/login_decision.hpp"
#include "auth/login_rules.hpp"
#include "session/identity.hpp"
#include "session/refusal.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

class Proof {
 public:
  enum class Next {
    ask,        // take_message() goes to the client, who answers it
    done,       // it is he; take_message() goes to him, if it is not empty
    refuse,     // refusal()
    malformed,  // refusal(): the client breaks the protocol
  };
  struct Client {
    bool is_encrypted = false;
    bool is_physical_replication = false;
    bool may_show_password = false;  // in clear, on a connection that is
  };

  Proof(auth::SharedLoginRules rules, const Identity& identity, Client client)
      : rules_(std::move(rules)), identity_(identity), client_(client) {}

  [[nodiscard]] Next begin();
  [[nodiscard]] Next resume(std::string_view body);

  // Of the rule that fits; empty: none does.
  [[nodiscard]] std::string_view method() const {
    return rule_ == nullptr ? std::string_view() : auth::name_of(rule_->method);
  }
  [[nodiscard]] std::string take_message() { return std::exchange(message_, {}); }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // What the proxy logs in to the server with; nullopt: the server authenticates the client. Requires: done. Once.
  [[nodiscard]] std::optional<auth::Credentials> take_credentials() {
    return std::move(credentials_);
  }

 private:
  [[nodiscard]] auth::LoginDecision decide() const;
  [[nodiscard]] Next follow(const auth::LoginDecision& decision);
  [[nodiscard]] Next challenge(auth::Challenge::Method method);
  [[nodiscard]] Next refuse_certificate();
  [[nodiscard]] Next take(auth::Challenge::Step step);
  [[nodiscard]] Next refuse(std::string_view sqlstate, std::string message);
  [[nodiscard]] std::string who() const;

  auth::SharedLoginRules rules_;
  const Identity& identity_;
  Client client_;
  const auth::HostRule* rule_ = nullptr;  // that fits; of `rules_`
  bool has_his_certificate_ = true;       // as auth::LoginDecision has it
  std::optional<auth::Challenge> challenge_;
  std::string message_;
  Refusal refusal_;
  std::optional<auth::Credentials> credentials_;
};

}  // namespace helios::session
