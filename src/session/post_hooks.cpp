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
  if (!work_->chain_run) {
    work_->chain_run = std::make_unique<hooks::ChainRun>(home_, [this] {
      note_result();
      resume();
    });
  }
  return *work_->chain_run;
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
  if (!work_->fault) work_->fault = std::current_exception();
}

void PostHooks::make_room() {
  if (!work_) work_ = std::make_unique<Work>();
}

const hooks::ChainResult* PostHooks::fatal() {
  if (!work_) return nullptr;
  if (work_->fault) std::rethrow_exception(std::exchange(work_->fault, nullptr));
  return work_->fatal.get();
}

hooks::RunStatus PostHooks::start(std::vector<std::unique_ptr<QueryRun>>& runs,
                                  Settlements* settlements) {
  assert(!pending());
  make_room();
  if (work_->runs.empty()) {
    work_->runs.swap(runs);
    work_->run = 0;
    work_->statement = 0;
    work_->is_hook_started = false;
  } else {
    work_->runs.insert(work_->runs.end(), std::make_move_iterator(runs.begin()),
                       std::make_move_iterator(runs.end()));
    runs.clear();
  }
  work_->settlements = settlements;
  if (work_->settled.empty()) {
    work_->next_settled = 0;
    if (settlements != nullptr && settlements->has_due()) settlements->take_due(work_->settled);
  }
  work_->in_this_turn = 0;
  work_->fatal.reset();
  return advance();
}

hooks::RunStatus PostHooks::advance() {
  if (const auto stopped = run_post_query()) return *stopped;
  for (auto& run : work_->runs) recycler_.give(std::move(run));
  work_->runs.clear();
  if (const auto stopped = run_settled()) return *stopped;
  for (EndedStatement& statement : work_->settled) recycler_.give(std::move(statement.execution));
  work_->settled.clear();
  return wait_for_state();
}

// nullopt: through with all of them, here and in the next two.
std::optional<hooks::RunStatus> PostHooks::run_post_query() {
  for (; work_->run < work_->runs.size(); ++work_->run, work_->statement = 0) {
    if (!work_->runs[work_->run]) continue;
    auto& statements = work_->runs[work_->run]->statements;
    while (work_->statement < statements.size()) {
      StatementRun& statement = statements[work_->statement];
      if (statement.execution && !work_->is_hook_started) {
        if (work_->in_this_turn++ == kStatementsPerTurn) return yield();
        static_cast<void>(chain_run());  // which may throw
        work_->is_hook_started = true;
        if (auto stopped = run_hook(hooks::HookPoint::post_query, *statement.execution,
                                    statement.is_session_statement)) {
          return stopped;
        }
      }
      if (statement.execution) on_post_query(statement);
      work_->is_hook_started = false;
      ++work_->statement;
    }
  }
  return std::nullopt;
}

std::optional<hooks::RunStatus> PostHooks::run_settled() {
  while (work_->next_settled < work_->settled.size()) {
    if (work_->in_this_turn++ == kStatementsPerTurn) return yield();
    static_cast<void>(chain_run());  // as above
    const EndedStatement& statement = work_->settled[work_->next_settled++];
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
  base::make_room(work_->settled);
  if (work_->settlements != nullptr) work_->settlements->make_room_for_due();
  EndedStatement ended{std::move(statement.execution), statement.is_session_statement};
  if (work_->settlements != nullptr && !ended.execution->settlement) {
    work_->settlements->keep(std::move(ended));
  } else {
    work_->settled.push_back(std::move(ended));
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
  const hooks::Kept kept =
      hooks::StateBarrier::wait(std::exchange(work_->receipt, {}), home_, on_kept);
  if (kept == hooks::Kept::pending) {
    done_.await();
    return hooks::RunStatus::pending;
  }
  note_kept(kept);
  return hooks::RunStatus::done;
}

void PostHooks::note_kept(hooks::Kept kept) {
  if (kept == hooks::Kept::yes || work_->fatal) return;
  work_->fatal = std::make_unique<hooks::ChainResult>();
  work_->fatal->fatal = true;
  work_->fatal->sqlstate = pgwire::sqlstate::kIoError;
  work_->fatal->message = hooks::kNotKeptText;
}

// Other sessions of the worker get their turn.
hooks::RunStatus PostHooks::yield() {
  work_->in_this_turn = 0;
  home_.post([this] { resume(); });
  done_.await();
  return hooks::RunStatus::pending;
}

void PostHooks::note_result() {
  work_->receipt.add(work_->chain_run->receipt());
  try {
    const hooks::ChainResult& result = work_->chain_run->result();
    if (result.fatal) work_->fatal = std::make_unique<hooks::ChainResult>(result);
  } catch (...) {
    note_fault();
  }
}

}  // namespace helios::session
