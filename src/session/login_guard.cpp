// SPDX-License-Identifier: Apache-2.0
#include "session/login_guard.hpp"

#include "pgwire/sqlstate.hpp"

#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

LoginGuard::~LoginGuard() {
  if (arrival_) environment_.admission->depart(origin_, *arrival_);
}

void LoginGuard::arrive() {
  if (environment_.admission == nullptr) return;
  origin_ = identity_.origin();
  arrival_ = environment_.admission->arrive(origin_);
  if (is_dropped()) ++environment_.counters->refused_logins;
}

Refusal LoginGuard::refusal() {
  ++environment_.counters->refused_logins;
  const bool is_of_address = arrival_ == Arrival::too_many_of_origin;
  Refusal refusal{.sqlstate = std::string(sqlstate::kTooManyConnections),
                  .message = is_of_address ? "too many logins under way from this address"
                                           : "too many logins under way"};
  refusal.hint = std::string("Try again in a while. The limit is [limits] ") +
                 (is_of_address ? "max_address_logins_under_way." : "max_logins_under_way.");
  return refusal;
}

LoginClaim LoginGuard::claim() const {
  return {
      .user = identity_.user(), .origin = origin_, .now_ns = environment_.clock->monotonic_ns()};
}

LoginGuard::Turn LoginGuard::take_turn() {
  if (has_waited_ || !arrival_) return {};
  const auto wait_ms = environment_.admission->hold_up(claim());
  if (wait_ms == 0U) return {};
  has_waited_ = true;
  if (wait_ms) {
    ++environment_.counters->slowed_logins;
    return {.wait_ms = *wait_ms};
  }
  ++environment_.counters->refused_logins;
  Refusal refusal{.sqlstate = std::string(sqlstate::kTooManyConnections),
                  .message = "too many failed logins: others wait for their turn already"};
  refusal.hint = "Try again in a while. The limits are [limits] failed_logins and what follows it.";
  return {.refusal = std::move(refusal)};
}

void LoginGuard::note_failure() {
  ++environment_.counters->failed_logins;
  if (!arrival_) return;
  const std::string who = "user \"" + identity_.user() + "\"";
  const std::string where = identity_.came_by_unix_socket()
                                ? "the Unix socket (" + identity_.os_user_name() + ")"
                                : identity_.client_ip();
  const char* const wait = ": the next ones have to wait ([limits] failed_logins)";
  switch (environment_.admission->note_failure(claim())) {
    case FailureAlarm::none: return;
    case FailureAlarm::login:
      return environment_.warn("many logins of " + who + " from " + where + " fail" + wait);
    case FailureAlarm::user:
      return environment_.warn("many logins of " + who + " fail, the last one from " + where);
    case FailureAlarm::origin:
      return environment_.warn("many logins from " + where + " fail" + wait);
  }
}

void LoginGuard::note_success() {
  if (arrival_) environment_.admission->note_success(claim());
}

}  // namespace helios::session
