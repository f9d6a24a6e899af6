// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps logins in bounds, for one client: how many are under way ([limits] max_logins_under_way, max_address_logins_under_way), and how
// soon one may follow on others that have failed (failed_logins). What it takes it gives back at its end.
//
// Flow: arrive() once the client's address is known; while it is_turned_away(), nothing but a cancel request is served. take_turn()
// before anybody looks at who the client says he is, and at his proof; then note_failure() or note_success().
//
// Thread rule: the session's. Lifetime: `environment` and `identity` outlive it.

#include "session/environment.hpp"
#include "session/identity.hpp"
#include "session/refusal.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace helios::session {

class LoginGuard {
 public:
  // How long somebody who is turned away has for the packet that he is told so behind.
  static constexpr std::uint32_t kFarewellMs = 5000;

  // When a login may be looked at.
  struct Turn {
    std::uint32_t wait_ms = 0;
    std::optional<Refusal> refusal = {};  // never: too many wait already
  };

  LoginGuard(Environment& environment, const Identity& identity)
      : environment_(environment), identity_(identity) {}
  ~LoginGuard();
  LoginGuard(const LoginGuard&) = delete;
  LoginGuard& operator=(const LoginGuard&) = delete;

  // Takes a place among the logins under way, or is turned away. Once.
  void arrive();
  [[nodiscard]] bool is_turned_away() const { return arrival_ && *arrival_ != Arrival::welcome; }
  // So many were turned away that not even those can be talked to: end it without a word.
  [[nodiscard]] bool is_dropped() const { return arrival_ == Arrival::dropped; }
  // Of one who is turned away. Counts it.
  [[nodiscard]] Refusal refusal();

  // Each login waits once.
  [[nodiscard]] Turn take_turn();
  void note_failure();
  void note_success();

 private:
  [[nodiscard]] LoginClaim claim() const;

  Environment& environment_;
  const Identity& identity_;
  std::string origin_;
  std::optional<Arrival>
      arrival_;  // nullopt: nobody counts, or it is not known from where he comes
  bool has_waited_ = false;
};

}  // namespace helios::session
