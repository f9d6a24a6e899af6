// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// What may take how long. A session waits for one thing at a time; the time starts anew when that
// changes, and for answers with every message of the client.

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

Session::Impl::Waiting Session::Impl::what_is_waited_for() const {
  switch (state_) {
    case State::startup:
    case State::vetting:
    case State::connecting:
    case State::authenticating: return Waiting::login;
    case State::ready: break;
    case State::closing:
    case State::closed: return Waiting::nothing;
  }
  if (gate_.busy() || !owed_.empty() || !held_ready_.empty()) return Waiting::answer;
  const bool is_idle = transaction_ == pgwire::TransactionStatus::idle;
  return is_idle ? Waiting::idle : Waiting::in_transaction;
}

std::uint32_t Session::Impl::limit_ms(Waiting waiting) const {
  const config::Limits& limits = environment_.config->limits;
  switch (waiting) {
    case Waiting::nothing: return 0;
    case Waiting::login: return limits.login_timeout_ms;
    case Waiting::answer: return limits.query_timeout_ms;
    case Waiting::in_transaction: return limits.idle_in_transaction_timeout_ms;
    case Waiting::idle: return limits.idle_timeout_ms;
  }
  return 0;
}

// Reads the clock only where a limit is configured.
void Session::Impl::update_deadline() {
  const Waiting waiting = what_is_waited_for();
  const bool is_new = waiting != waiting_ || std::exchange(message_arrived_, false);
  if (!is_new) return;
  waiting_ = waiting;
  const std::uint32_t limit = limit_ms(waiting);
  deadline_ns_.reset();
  if (limit > 0) {
    deadline_ns_ = environment_.clock->monotonic_ns() + std::int64_t{limit} * 1'000'000;
  }
}

void Session::Impl::on_timer() {
  if (!deadline_ns_ || environment_.clock->monotonic_ns() < *deadline_ns_) return;
  deadline_ns_.reset();
  switch (waiting_) {
    case Waiting::nothing: break;
    case Waiting::login:
      fail(sqlstate::kQueryCanceled, "canceling authentication due to timeout");
      break;
    case Waiting::answer:
      actions_->send_cancel = server_open_ && !owed_.empty();
      fail(sqlstate::kQueryCanceled, "terminating connection due to query timeout");
      break;
    case Waiting::in_transaction:
      fail(sqlstate::kIdleInTransactionTimeout,
           "terminating connection due to idle-in-transaction timeout");
      break;
    case Waiting::idle:
      fail(sqlstate::kIdleSessionTimeout, "terminating connection due to idle-session timeout");
      break;
  }
}

}  // namespace helios::session
