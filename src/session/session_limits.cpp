// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// How long a session may wait, and how much it may hold.

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

namespace {

// Messages forwarded and not yet answered. A client that sends more waits for answers first.
constexpr std::size_t kMaxOutstandingReplies = 16384;
constexpr std::uint64_t kKib = 1024;

}  // namespace

Deadlines::Waiting Session::Impl::what_is_waited_for() const {
  using enum Deadlines::Waiting;
  switch (state_) {
    case State::startup:
    case State::vetting:
    case State::connecting:
    case State::authenticating: return login;
    case State::ready: break;
    case State::closing:
    case State::closed: return nothing;
  }
  if (gate_.busy() || !link_->owed().empty() || !held_ready_.empty()) return answer;
  return link_->is_in_block() ? in_transaction : idle;
}

void Session::Impl::update_deadline() {
  const std::uint64_t ended = link_ == nullptr ? 0 : link_->owed().ended();
  deadlines_.update(what_is_waited_for(), ended, environment_.config->limits, *environment_.clock);
}

// The server may have worked, and keep its answers until a Flush. True = there is hope.
bool Session::Impl::ask_at_deadline() {
  const bool is_kept = link_->may_keep_answers() && !link_->owed().awaits_ready();
  if (!is_kept || !deadlines_.is_to_ask(link_->owed().ended())) return false;
  link_->ask_for_answers();
  return true;
}

void Session::Impl::on_timer() {
  using enum Deadlines::Waiting;
  switch (deadlines_.take_due(*environment_.clock).value_or(nothing)) {
    case nothing: break;
    case login:
      if (state_ == State::connecting) return on_refused("Connection timed out");
      fail(sqlstate::kQueryCanceled, "canceling authentication due to timeout");
      break;
    case answer:
      if (ask_at_deadline()) return;
      actions_->send_cancel = link_->is_open() && !link_->owed().empty();
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

std::uint64_t Session::Impl::held_bytes() const {
  return client_input_.held_bytes() + client_reader_.held_bytes() +
         (link_ == nullptr ? 0 : link_->held_bytes()) + gate_.held_bytes() +
         in_flight_.held_bytes() + names_.held_bytes() + present_.held_bytes() +
         settings_.held_bytes() + settlements_.held_bytes() + login_.held_bytes() +
         held_ready_.size();
}

// False = the session was ended for what it holds.
bool Session::Impl::account_memory() {
  const std::string_view complaint = footprint_.update(held_bytes(), environment_.config->limits);
  if (complaint.empty() || state_ == State::closing || state_ == State::closed) return true;
  ++environment_.counters->out_of_memory;
  fail(sqlstate::kOutOfMemory, complaint);
  return false;
}

bool Session::Impl::has_room_for_query(std::uint64_t bytes) const {
  return footprint_.has_room_for_query(bytes, environment_.config->limits);
}

// The server may be waiting for COPY data, so that no answer would come.
bool Session::Impl::has_room_for_replies() const {
  if (link_->is_reading_copy()) return true;
  return link_->owed().size() < kMaxOutstandingReplies &&
         link_->owed().held_bytes() + in_flight_.held_bytes() <=
             environment_.config->limits.max_session_memory_kb * kKib / 4;
}

}  // namespace helios::session
