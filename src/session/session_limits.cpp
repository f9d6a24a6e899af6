// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/session.hpp"

// How long a session may wait, and how much it may hold.

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

Deadlines::Waiting Session::what_is_waited_for() const {
  using enum Deadlines::Waiting;
  if (login_ && !is_ending() && login_->is_turned_away())
    return login_->is_dropped() ? dropped : farewell;
  switch (state_) {
    case State::startup:
    case State::held:
    case State::proving:
    case State::vetting:
    case State::connecting:
    case State::authenticating: return login;
    case State::ready: break;
    case State::closing:
    case State::closed: return nothing;
  }
  // Nobody can tell whether the server works, and what it works on may be ended by no deadline of an idle one.
  if (!context_.link->is_count_certain()) return nothing;
  if (conversation_.judge().busy() || conversation_.is_sending() ||
      !context_.link->owed().empty() || !context_.held_ready.empty())
    return answer;
  return context_.link->is_in_block() ? in_transaction : idle;
}

void Session::update_deadline() {
  const std::uint64_t ended = context_.link == nullptr ? 0 : context_.link->owed().ended();
  deadlines_.update(what_is_waited_for(), ended, context_.environment.config->limits,
                    *context_.environment.clock);
}

// The server may have worked, and keep its answers until a Flush. True = there is hope.
bool Session::ask_at_deadline() {
  const bool is_kept = context_.link->may_keep_answers() && !context_.link->owed().awaits_ready();
  if (!is_kept || !deadlines_.is_to_ask(context_.link->owed().ended())) return false;
  context_.link->ask_for_answers();
  return true;
}

std::optional<std::int64_t> Session::deadline_ns() const {
  const auto limit_ns = deadlines_.deadline_ns();
  if (!held_until_ns_ || (limit_ns && *limit_ns < *held_until_ns_)) return limit_ns;
  return held_until_ns_;
}

void Session::be_late() {
  using enum Deadlines::Waiting;
  if (end_hold()) return;
  switch (deadlines_.take_due(*context_.environment.clock).value_or(nothing)) {
    case nothing: break;
    case dropped: close(); break;
    case farewell: fail(login_->turn_away()); break;
    case login:
      if (state_ == State::connecting) return be_refused("Connection timed out");
      fail(sqlstate::kQueryCanceled, "canceling authentication due to timeout");
      break;
    case answer:
      if (ask_at_deadline()) return;
      context_.actions->send_cancel = context_.link->is_open() && !context_.link->owed().empty();
      fail(sqlstate::kQueryCanceled, "terminating connection due to query timeout");
      break;
    case in_transaction:
      fail(sqlstate::kIdleInTransactionTimeout,
           "terminating connection due to idle-in-transaction timeout");
      break;
    case idle:
      fail(sqlstate::kIdleSessionTimeout, "terminating connection due to idle-session timeout");
      break;
  }
}

std::uint64_t Session::held_bytes() const {
  return input_.bytes.held_bytes() + input_.reader.held_bytes() +
         (context_.link == nullptr ? 0 : context_.link->held_bytes()) +
         (login_ ? login_->held_bytes() : 0) + conversation_.held_bytes() + answers_.held_bytes() +
         context_.in_flight.held_bytes() + context_.names.held_bytes() +
         context_.settings.held_bytes();
}

// False = the session was ended for what it holds.
bool Session::account_memory() {
  const std::string_view complaint =
      footprint_.update(held_bytes(), context_.environment.config->limits);
  if (complaint.empty() || is_ending()) return true;
  ++context_.environment.counters->out_of_memory;
  fail(sqlstate::kOutOfMemory, complaint);
  return false;
}

}  // namespace helios::session
