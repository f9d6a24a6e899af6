// SPDX-License-Identifier: Apache-2.0
#include "session/post_hooks.hpp"

#include "pgwire/sqlstate.hpp"

#include <cassert>
#include <iterator>
#include <utility>

namespace helios::session {

PostHooks::PostHooks(base::Executor& home, Recycler& recycler, std::function<void()> on_done)
    : home_(home), recycler_(recycler), done_(std::move(on_done)) {}

hooks::ChainRun& PostHooks::chain_run() {
  if (!chain_run_) {
    chain_run_ = std::make_unique<hooks::ChainRun>(home_, [this] {
      note_result();
      resume();
    });
  }
  return *chain_run_;
}

// On the home executor, where nobody above would tell the session of what is thrown.
void PostHooks::resume() {
  done_.arrive();
  try {
    if (advance() == hooks::RunStatus::pending) return;
  } catch (...) {
    note_fault();
  }
  done_.tell();
}

void PostHooks::note_fault() {
  if (!fault_) fault_ = std::current_exception();
}

const hooks::ChainResult* PostHooks::fatal() {
  if (fault_) std::rethrow_exception(std::exchange(fault_, nullptr));
  return fatal_.get();
}

hooks::RunStatus PostHooks::start(std::vector<std::unique_ptr<QueryRun>>& runs,
                                  Settlements* settlements) {
  assert(!pending());
  if (runs_.empty()) {
    runs_.swap(runs);
    run_ = 0;
    statement_ = 0;
    is_hook_started_ = false;
  } else {
    runs_.insert(runs_.end(), std::make_move_iterator(runs.begin()),
                 std::make_move_iterator(runs.end()));
    runs.clear();
  }
  settlements_ = settlements;
  if (settled_.empty()) {
    next_settled_ = 0;
    if (settlements != nullptr && settlements->has_due()) settlements->take_due(settled_);
  }
  in_this_turn_ = 0;
  fatal_.reset();
  return advance();
}

hooks::RunStatus PostHooks::advance() {
  if (const auto stopped = run_post_query()) return *stopped;
  for (auto& run : runs_) recycler_.give(std::move(run));
  runs_.clear();
  if (const auto stopped = run_settled()) return *stopped;
  for (EndedStatement& statement : settled_) recycler_.give(std::move(statement.execution));
  settled_.clear();
  return wait_for_state();
}

// nullopt: through with all of them, here and in the next two.
std::optional<hooks::RunStatus> PostHooks::run_post_query() {
  for (; run_ < runs_.size(); ++run_, statement_ = 0) {
    if (!runs_[run_]) continue;
    auto& statements = runs_[run_]->statements;
    while (statement_ < statements.size()) {
      StatementRun& statement = statements[statement_];
      if (statement.execution && !is_hook_started_) {
        if (in_this_turn_++ == kStatementsPerTurn) return yield();
        static_cast<void>(chain_run());  // which may throw
        is_hook_started_ = true;
        if (auto stopped = run_hook(hooks::HookPoint::post_query, *statement.execution,
                                    statement.is_session_statement)) {
          return stopped;
        }
      }
      if (statement.execution) on_post_query(statement);
      is_hook_started_ = false;
      ++statement_;
    }
  }
  return std::nullopt;
}

std::optional<hooks::RunStatus> PostHooks::run_settled() {
  while (next_settled_ < settled_.size()) {
    if (in_this_turn_++ == kStatementsPerTurn) return yield();
    static_cast<void>(chain_run());  // as above
    const EndedStatement& statement = settled_[next_settled_++];
    if (auto stopped = run_hook(hooks::HookPoint::settled, *statement.execution,
                                statement.is_session_statement)) {
      return stopped;
    }
  }
  return std::nullopt;
}

std::optional<hooks::RunStatus> PostHooks::run_hook(hooks::HookPoint point,
                                                    hooks::StatementExecution& execution,
                                                    bool is_session_statement) {
  if (chain_run().start(point, execution, is_session_statement) == hooks::RunStatus::pending) {
    done_.await();
    return hooks::RunStatus::pending;
  }
  note_result();
  return std::nullopt;
}

void PostHooks::on_post_query(StatementRun& statement) {
  if (!statement.execution->chain->has_settled()) return;
  base::make_room(settled_);
  if (settlements_ != nullptr) settlements_->make_room_for_due();
  EndedStatement ended{std::move(statement.execution), statement.is_session_statement};
  if (settlements_ != nullptr && !ended.execution->settlement) {
    settlements_->keep(std::move(ended));
  } else {
    settled_.push_back(std::move(ended));
  }
}

hooks::RunStatus PostHooks::wait_for_state() {
  const auto on_kept = [this](hooks::Kept late) {
    try {
      note_kept(late);
    } catch (...) {
      note_fault();
    }
    done_.finish();
  };
  const hooks::Kept kept = hooks::StateBarrier::wait(std::exchange(receipt_, {}), home_, on_kept);
  if (kept == hooks::Kept::pending) {
    done_.await();
    return hooks::RunStatus::pending;
  }
  note_kept(kept);
  return hooks::RunStatus::done;
}

void PostHooks::note_kept(hooks::Kept kept) {
  if (kept == hooks::Kept::yes || fatal_) return;
  fatal_ = std::make_unique<hooks::ChainResult>();
  fatal_->fatal = true;
  fatal_->sqlstate = pgwire::sqlstate::kIoError;
  fatal_->message = hooks::kNotKeptText;
}

// Other sessions of the worker get their turn.
hooks::RunStatus PostHooks::yield() {
  in_this_turn_ = 0;
  home_.post([this] { resume(); });
  done_.await();
  return hooks::RunStatus::pending;
}

void PostHooks::note_result() {
  receipt_.add(chain_run_->receipt());
  try {
    const hooks::ChainResult& result = chain_run_->result();
    if (result.fatal) fatal_ = std::make_unique<hooks::ChainResult>(result);
  } catch (...) {
    note_fault();
  }
}

}  // namespace helios::session
