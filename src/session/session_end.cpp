// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/blocking.hpp"
#include "session/session.hpp"

#include <exception>

// How a session ends: in order, with an error, or by an exception that nobody expected. Statements whose answer
// will never be seen get their post_query in each case.

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

namespace {

// Of the end of one session, when exceptions come in its way too. Each goes on where the last one stopped.
constexpr int kMaxEndings = 4;
// Between log lines about exceptions, of one worker.
constexpr std::int64_t kFaultLineIntervalNs = 1'000'000'000;
constexpr std::size_t kMaxFaultBytes = 400;

// Of the exception that is being handled.
std::string present_fault() {
  try {
    throw;
  } catch (const std::exception& fault) {
    return base::escape_for_log(fault.what(), kMaxFaultBytes);
  } catch (...) {
    return "not a std::exception";
  }
}

}  // namespace

void Session::fail(std::string_view state, std::string_view message) {
  fail(Refusal{std::string(state), std::string(message)});
}

void Session::fail(const Refusal& refusal) {
  if (is_ending()) return;
  if (refusal.sqlstate == sqlstate::kProtocolViolation)
    ++context_.environment.counters->protocol_errors;
  const bool is_amid_message = context_.link != nullptr && context_.link->is_amid_message();
  context_.drop_held_ready();
  is_login_told_ |= refusal.is_noted();
  tell_login_end(refusal.sqlstate, refusal.message);
  if (!is_client_gone_ && !is_amid_message) {
    context_.actions->to_client.append(refusal.error_response(pgwire::Severity::fatal));
  }
  close();
}

bool Session::leave_if_blocked() {
  if (is_ending()) return false;
  if (login_) {
    const bool is_known = state_ != State::startup;
    if (!is_known || !login_->is_blocked()) return false;
    fail(*login_->refusal());
    return true;
  }
  const blocks::Block* block = block_of_session(context_, conversation_.judge().present_run());
  if (block == nullptr) return false;
  context_.environment.counters->note_blocked(block->kind);
  context_.actions->send_cancel = context_.link->is_open() && !context_.link->owed().empty();
  fail(sqlstate::kAdminShutdown, farewell_of(*block));
  return true;
}

void Session::fail_after_answers(std::string_view state, std::string message) {
  // The server waits for the rest of the data, and would not answer.
  if (context_.link->is_reading_copy()) return fail(state, message);
  conversation_.say_farewell(state, std::move(message));
}

// Only its last step may throw. The rest, which may, is pump_closing()'s.
void Session::close() {
  if (is_ending()) return;
  // Perhaps it was guessed, and whoever guessed did not wait for the answer, which the server may log.
  if (login_ && has_shown_password_ && !is_login_told_) login_->note_failure();
  if (has_shown_password_)
    tell_login_end(sqlstate::kConnectionFailure,
                   "the connection ended behind the password, before the server had answered it");
  state_ = State::closing;
  const bool takes_leave = context_.link != nullptr && context_.link->is_open() &&
                           !context_.link->has_said_why() && !context_.link->has_ended() &&
                           !conversation_.has_taken_leave() && context_.is_idle();
  if (context_.link != nullptr) context_.link->close();
  upstream_.give_up();
  context_.actions->close_client = true;
  input_.bytes.clear();
  context_.drop_held_ready();
  conversation_.give_up();
  if (takes_leave) context_.link->send(pgwire::serialize_terminate());
}

bool Session::pump_closing() {
  if (conversation_.judge().busy() || pending()) return false;
  collect_lost();
  if (answers_.has_last_hooks()) return answers_.run_last_hooks() == hooks::RunStatus::done;
  state_ = State::closed;
  return true;
}

// What an exception leaves in its place is taken by the next call.
void Session::collect_lost() {
  answers_.collect_lost();
  if (!conversation_.judge().has_run()) return;
  answers_.make_room_for_lost();
  answers_.add_lost(conversation_.judge().take_run());
}

// Something that nobody expected went wrong in an event of this session. It ends; the others go on.
void Session::end_by_fault(std::string_view event) noexcept {
  note_fault(event);
  for (int ending = 0; ending < kMaxEndings; ++ending) {
    try {
      context_.actions->to_server
          .discard();  // of this event: nobody knows whether it was judged to its end
      if (ending == 0) {
        fail(sqlstate::kSystemError, "terminating connection: internal error of the proxy");
      } else {
        close();  // it may have been the error that could not be made
      }
      pump();
      return;
    } catch (...) {
      note_fault(event);
    }
  }
  abandon();
}

// Counts the session, once, and says where it was.
void Session::note_fault(std::string_view event) {
  if (!std::exchange(has_faulted_, true)) ++context_.environment.counters->session_faults;
  try {
    const std::int64_t now_ns = context_.environment.clock->monotonic_ns();
    if (now_ns < context_.environment.fault_line_due_ns) return;
    context_.environment.fault_line_due_ns = now_ns + kFaultLineIntervalNs;
    context_.environment.log->write(
        base::LogLevel::error, "internal fault (session, " + std::string(event) + ", " +
                                   std::string(to_word(state_)) + "): " + present_fault() + "; " +
                                   "session " + context_.identity.session_id() +
                                   " ends, please report this");
  } catch (...) {
    // There may be no memory for a line. It is counted.
  }
}

// It could not be ended in order: its statements get no post_query any more.
void Session::abandon() {
  upstream_.give_up();
  context_.actions->close_client = true;
  input_.bytes.clear();
  if (context_.link != nullptr) context_.link->close();
  answers_.abandon();
  state_ = State::closed;
  deadlines_.stop();
}

}  // namespace helios::session
