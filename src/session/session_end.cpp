// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

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

void Session::Impl::fail(std::string_view state, std::string_view message) {
  if (state_ == State::closing || state_ == State::closed) return;
  if (state == sqlstate::kProtocolViolation) ++environment_.counters->protocol_errors;
  if (!client_gone_ && !(link_ != nullptr && link_->is_amid_message())) {
    actions_->to_client.append(
        pgwire::serialize_error_response(pgwire::Severity::fatal, state, message));
  }
  close();
}

// The client's messages cannot be followed any further: it is told when it has its answers to those before.
void Session::Impl::fail_after_answers(std::string_view state, std::string message) {
  // The server waits for the rest of the data, and would not answer.
  if (link_->is_reading_copy()) return fail(state, message);
  farewell_ = std::make_unique<Farewell>(std::string(state), std::move(message));
  client_input_.clear();
}

// True = it was time.
bool Session::Impl::bid_farewell() {
  if (!farewell_) return false;
  const bool is_through = link_->owed().empty() && held_ready_.empty() && !present_.is_held() &&
                          !gate_.busy() && !link_->is_amid_message();
  if (is_through) fail(farewell_->sqlstate, farewell_->message);
  return is_through;
}

// Only its last step may throw. The rest, which may, is pump_closing()'s.
void Session::Impl::close() {
  if (state_ == State::closing || state_ == State::closed) return;
  state_ = State::closing;
  const bool takes_leave =
      link_ != nullptr && link_->is_open() && !link_->has_ended() && !terminate_sent_ && is_idle();
  if (link_ != nullptr) link_->close();
  upstream_.give_up();
  actions_->close_client = true;
  client_input_.clear();
  held_ready_.clear();
  present_.drop();
  judged_portal_.reset();
  if (gate_.busy()) gate_.cancel();
  if (takes_leave) link_->send(pgwire::serialize_terminate());
}

bool Session::Impl::pump_closing() {
  if (gate_.busy() || post_hooks_.pending() || login_.pending()) return false;
  static_cast<void>(post_hooks_.fatal());  // nobody is told any more, unless they have thrown
  collect_lost();
  if (!lost_runs_.empty() || settlements_.has_due() || post_hooks_.has_left()) {
    for (auto& run : lost_runs_) run->finish(hooks::Outcome::lost, names_);
    return post_hooks_.start(lost_runs_, &settlements_) == hooks::RunStatus::done;
  }
  state_ = State::closed;
  return true;
}

// Takes the statements from wherever they have got to. What an exception leaves there is taken by the next call.
void Session::Impl::collect_lost() {
  settlements_.on_end(link_ == nullptr || (link_->owed().empty() && !link_->is_batch_open()));
  for (auto& run : ended_runs_) {
    if (run) lost_runs_.push_back(std::move(run));
  }
  ended_runs_.clear();
  note_unfinished();
  in_flight_.for_each([](InFlight& item) {
    if (item.portal) item.portal->is_under_way = true;
  });
  names_.portals.for_each_settled(
      [this](const std::shared_ptr<Portal>& portal) { lose_portal(portal); });
  in_flight_.for_each([this](InFlight& item) {
    base::make_room(lost_runs_);
    if (item.run) {
      lost_runs_.push_back(std::move(item.run));
    } else if (item.portal && item.portal->run) {
      lost_runs_.push_back(std::move(item.portal->run));
    }
  });
  if (link_ != nullptr) link_->end_all();
  if (!gate_.has_run()) return;
  base::make_room(lost_runs_);
  lost_runs_.push_back(gate_.take_run());
}

// What the server has spent on, and said of, the message that it was answering.
void Session::Impl::note_unfinished() {
  const backend::Owed* owed = link_ == nullptr ? nullptr : link_->owed().front();
  const InFlight* item = owed == nullptr ? nullptr : in_flight_.find(owed->tag);
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run == nullptr) return;
  run->on_answer_bytes(link_->answer_bytes());
  note_time(*item, *run);
}

// One that nothing has run, and that nobody was asked to run, is not lost.
void Session::Impl::lose_portal(const std::shared_ptr<Portal>& portal) {
  if (!portal->run || portal->is_under_way) return;
  if (!portal->run->is_suspended()) {
    portal->run->finish_portal(cursor_readers_ != portal->readers_before, names_);
  }
  base::make_room(lost_runs_);
  lost_runs_.push_back(std::move(portal->run));
}

// Something that nobody expected went wrong in an event of this session. It ends; the others go on.
void Session::Impl::on_fault(std::string_view event) noexcept {
  note_fault(event);
  for (int ending = 0; ending < kMaxEndings; ++ending) {
    try {
      actions_->to_server
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
void Session::Impl::note_fault(std::string_view event) {
  if (!std::exchange(has_faulted_, true)) ++environment_.counters->session_faults;
  try {
    const std::int64_t now_ns = environment_.clock->monotonic_ns();
    if (now_ns < environment_.fault_line_due_ns) return;
    environment_.fault_line_due_ns = now_ns + kFaultLineIntervalNs;
    environment_.log->write(base::LogLevel::error,
                            "internal fault (session, " + std::string(event) + ", " +
                                std::string(to_word(state_)) + "): " + present_fault() + "; " +
                                "heliosproxy " + identity_.session_id() +
                                " ends, please report this");
  } catch (...) {
    // There may be no memory for a line. It is counted.
  }
}

// It could not be ended in order: its statements get no post_query any more.
void Session::Impl::abandon() {
  upstream_.give_up();
  actions_->close_client = true;
  client_input_.clear();
  if (link_ != nullptr) link_->close();
  lost_runs_.clear();
  state_ = State::closed;
  deadlines_.stop();
}

}  // namespace helios::session
