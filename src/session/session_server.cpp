// SPDX-License-Identifier: Apache-2.0
#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <algorithm>

// What the server's answers mean: outcomes, times, names, the held ReadyForQuery.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
using pgwire::TransactionStatus;

namespace {

// A block or procedure: it may have committed a change before it failed.
bool may_change_anything(const sql::Statement& statement) {
  return std::ranges::any_of(statement.settings, [](const sql::SettingChange& change) {
    return change.kind == sql::SettingChange::Kind::unknown;
  });
}

}  // namespace

void Session::Impl::on_server_bytes(std::string_view bytes) {
  if (state_ == State::authenticating || state_ == State::ready) link_->on_bytes(bytes);
}

void Session::Impl::on_server_eof() {
  if (link_ != nullptr) link_->on_eof();
}

void Session::Impl::on_malformed() {
  fail(pgwire::sqlstate::kProtocolViolation, "the server sent a malformed message");
}

bool Session::Impl::step_server() {
  if (held_ready_.empty()) return link_->step();
  if (post_hooks_.pending()) return false;
  release_ready();
  return true;
}

void Session::Impl::on_suspension(backend::Answer answer) {
  const InFlight* item = in_flight_.find(answer.tag);
  ++cursor_readers_;
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run == nullptr) {
    settings_.recall_change();
    return;
  }
  run->on_answer_bytes(answer.bytes);
  if (is_settling()) {
    settlements_.on_suspended(run->present(), environment_.config->limits.max_unsettled_statements);
  }
  note_time(*item, *run);
  run->on_suspended(static_cast<std::uint64_t>(std::max(item->max_rows, 0)), followed());
}

// What waits for answers would wait for ever: the server wants data.
void Session::Impl::on_copy_in(bool is_reading) {
  if (is_reading && gate_.waits_for_answers()) break_copy(fe::kQuery);
}

// Names stand for what the message said, or do not, and runs get their post_query with the next ReadyForQuery,
// unless more of the portal's rows may come.
void Session::Impl::on_ended(backend::Tag tag, char answer) {
  InFlight* item = in_flight_.find(tag);
  if (item == nullptr) return;
  names_.settle(item->names, answer != 0);
  if (item->is_malformed && answer != 0) names_.forget();
  if (item->run) {
    item->run->finish(hooks::Outcome::skipped, names_);
    base::make_room(ended_runs_);
    ended_runs_.push_back(std::move(item->run));
  } else if (item->portal && item->portal->run) {
    settle_portal(*item, answer);
  }
  in_flight_.end(tag);
}

// An Execute that was skipped leaves the portal as it was. A cursor of SQL is judged by its Execute, and perhaps was
// never made: the next one is judged anew.
void Session::Impl::settle_portal(const InFlight& item, char answer) {
  const std::shared_ptr<Portal>& portal = item.portal;
  if (answer == be::kBindComplete) {
    note_time(item, *portal->run);
    portal->readers_before = cursor_readers_;
  } else if (item.expect.request == fe::kBind) {
    portal->run->finish(hooks::Outcome::skipped, names_);  // it was never made
  } else if (answer == 0 && portal->bound->is_declared && !portal->run->is_suspended()) {
    portal->run->finish(hooks::Outcome::skipped, names_);
    portal->is_judged = false;
  }
  if (!portal->run->is_finished()) return;
  base::make_room(ended_runs_);
  ended_runs_.push_back(std::move(portal->run));
}

// What the server spent on the present statement of `run`, which `item` asked for. It works on one thing after
// the other, so no time counts twice. It sends the ends of short statements together with those of the long
// one behind them: a SET that nobody follows must not swallow its time.
void Session::Impl::note_time(const InFlight& item, QueryRun& run) {
  const StatementRun* statement = run.present();
  if (statement == nullptr || !statement->execution) return;
  const std::int64_t now_ns = environment_.clock->monotonic_ns();
  run.spend(std::max<std::int64_t>(now_ns - std::max(item.forwarded_ns, server_free_ns_), 0));
  server_free_ns_ = now_ns;
}

// Portals end with their transaction, but for cursors WITH HOLD.
void Session::Impl::end_portals() {
  names_.portals.clear_settled(
      [](const std::shared_ptr<Portal>& portal) { return portal->is_holdable; });
}

// Its name stands for it no longer.
void Session::Impl::end_portal(const std::shared_ptr<Portal>& portal) {
  if (!portal->run) return;
  portal->run->finish_portal(cursor_readers_ != portal->readers_before, names_);
  base::make_room(ended_runs_);
  ended_runs_.push_back(std::move(portal->run));
}

void Session::Impl::on_completion(backend::Answer answer, std::string_view command_tag) {
  InFlight* item = in_flight_.find(answer.tag);
  if (item == nullptr) return;
  QueryRun* run = item->present_run();
  if (may_read_cursors(run)) ++cursor_readers_;
  if (is_settling()) {
    settlements_.on_complete(run != nullptr ? run->present() : nullptr, command_tag,
                             run == nullptr || run->statements.size() == 1,
                             environment_.config->limits.max_unsettled_statements);
  }
  if (run != nullptr) {
    run->on_answer_bytes(answer.bytes);
    note_time(*item, *run);
    const bool may_commit = may_commit_itself(*run);
    run->on_complete(command_tag, followed());
    if (may_commit) settings_.may_have_committed(false);
  } else if (item->expect.request == fe::kExecute && !item->portal) {
    note_execution(command_tag);
  } else if (item->expect.request == fe::kFunctionCall && item->touches_session) {
    settings_.recall_change();
  }
}

// And there is no block, as far as anybody knows.
bool Session::Impl::may_commit_itself(QueryRun& run) const {
  const StatementRun* statement = run.present();
  return statement != nullptr && statement->statement->may_commit_itself && !link_->is_in_block();
}

// By FETCH, or by a function that is given a cursor's name. What a COMMIT runs is left out: triggers that
// were put off.
bool Session::Impl::may_read_cursors(QueryRun* run) {
  const StatementRun* statement = run == nullptr ? nullptr : run->present();
  if (statement == nullptr || !statement->analysis->parsed) return true;
  const sql::Statement& what = *statement->statement;
  const bool ends_cursor =
      what.name_op == sql::NameOp::close || what.name_op == sql::NameOp::close_all;
  return !what.is_session_statement && what.transaction == sql::TransactionOp::none && !ends_cursor;
}

// The text of this Execute is not known; its tag tells something of what it was.
void Session::Impl::note_execution(std::string_view tag) {
  settings_.recall_change();
  if (tag == "COMMIT") settings_.commit();
  if (tag == "ROLLBACK") settings_.unseen_rollback();
  if (tag == "RESET") settings_.unseen_reset();
  if (tag == "DISCARD ALL")
    settings_.apply({.kind = sql::SettingChange::Kind::discard_all, .name = {}, .value = {}});
}

// True = the error was replaced by the refusal it stands for.
bool Session::Impl::on_error(backend::Answer answer, bool is_own,
                             const pgwire::ErrorFieldsView& fields) {
  const Refusal* refusal = nullptr;
  if (InFlight* item = in_flight_.find(answer.tag)) {
    QueryRun* run = item->present_run();
    // What answers a message of the link's own answers no stand-in.
    refusal = is_own ? nullptr : item->refusal_behind(fields);
    settlements_.on_error(run != nullptr ? run->present() : nullptr,
                          run == nullptr || run->statements.size() == 1);
    if (run != nullptr) {
      run->on_answer_bytes(answer.bytes);
      if (may_commit_itself(*run)) {
        settings_.may_have_committed(may_change_anything(*run->present()->statement));
      }
      note_failure(*item, *run, fields);
    } else {
      ++cursor_readers_;
    }
    if (refusal != nullptr) actions_->to_client.append(refusal->error_response());
    if (item->ends_unnamed) names_.end_unnamed();
  }
  settings_.fail();
  return refusal != nullptr;
}

void Session::Impl::note_failure(const InFlight& item, QueryRun& run,
                                 const pgwire::ErrorFieldsView& fields) {
  note_time(item, run);
  // In a failed transaction, or cancelled, an Execute ends before it comes to its portal. Behind a
  // ROLLBACK TO the portal can still be run.
  const bool is_attempt = item.expect.request == fe::kExecute && !run.is_suspended() &&
                          (fields.sqlstate == pgwire::sqlstate::kFailedTransaction ||
                           fields.sqlstate == pgwire::sqlstate::kQueryCanceled);
  if (is_attempt) {
    run.on_attempt_failed(fields.sqlstate, fields.message);
  } else {
    ++cursor_readers_;
    run.on_error(fields.sqlstate, fields.message, names_);
  }
}

// Outside of a transaction block the message was a transaction of its own, which ends with it.
void Session::Impl::on_status(TransactionStatus status, bool has_failed) {
  if (status != TransactionStatus::idle) {
    settings_.begin();
  } else if (settings_.in_transaction()) {
    if (has_failed) {
      settings_.rollback();
    } else {
      settings_.commit();
    }
  }
  settlements_.on_ready(status);
}

// The answer to a message is complete. It is released when its post_query hooks have committed.
void Session::Impl::on_ready(std::string_view message, bool is_view) {
  if (!link_->is_in_block()) end_portals();
  if (!ended_runs_.empty() || settlements_.has_due()) {
    held_ready_ = message;
    if (post_hooks_.start(ended_runs_, &settlements_) == hooks::RunStatus::done) release_ready();
  } else if (is_view) {
    actions_->to_client.append_view(message);
  } else {
    actions_->to_client.append(std::string(message));
  }
}

void Session::Impl::release_ready() {
  if (post_hooks_.fatal()) {
    held_ready_.clear();
    fail(post_hooks_.fatal()->sqlstate, "terminating connection: " + post_hooks_.fatal()->message);
    return;
  }
  actions_->to_client.append(std::exchange(held_ready_, {}));
}

}  // namespace helios::session
