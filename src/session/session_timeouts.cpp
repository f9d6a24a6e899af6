// SPDX-License-Identifier: Apache-2.0
#include "pgwire/extended.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// What may take how long. A session waits for one thing at a time; the time starts anew when that changes, with every
// message of an idle client, and with every answer that the server is through with and every piece of COPY data. What a client sends behind
// a statement does not put off the end of its time.

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
  if (gate_.busy() || !link_.owed().empty() || !held_ready_.empty()) return Waiting::answer;
  return link_.is_in_block() ? Waiting::in_transaction : Waiting::idle;
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
  has_gone_on_ |= link_.owed().ended() != std::exchange(replies_ended_, link_.owed().ended());
  const bool is_due_anew = waiting == Waiting::answer ? has_gone_on_ : message_arrived_;
  message_arrived_ = has_gone_on_ = false;
  if (waiting == waiting_ && !is_due_anew) return;
  waiting_ = waiting;
  const std::uint32_t limit = limit_ms(waiting);
  deadline_ns_.reset();
  if (limit > 0) {
    deadline_ns_ = environment_.clock->monotonic_ns() + std::int64_t{limit} * 1'000'000;
  }
}

// The server may have worked, and keep its answers until a Flush: then the time begins behind ours, once. True = there
// is hope.
bool Session::Impl::ask_at_deadline() {
  const bool is_kept = link_.may_keep_answers() && !link_.owed().awaits_ready();
  if (!is_kept || asked_at_ == link_.owed().ended()) return false;
  asked_at_ = link_.owed().ended();
  link_.ask_for_answers();
  has_gone_on_ = true;
  return true;
}

void Session::Impl::on_timer() {
  if (!deadline_ns_ || environment_.clock->monotonic_ns() < *deadline_ns_) return;
  deadline_ns_.reset();
  switch (waiting_) {
    case Waiting::nothing: break;
    case Waiting::login:
      if (state_ == State::connecting) return on_server_failed("Connection timed out");
      fail(sqlstate::kQueryCanceled, "canceling authentication due to timeout");
      break;
    case Waiting::answer:
      if (ask_at_deadline()) return;
      actions_->send_cancel = link_.is_open() && !link_.owed().empty();
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
