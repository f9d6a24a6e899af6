// SPDX-License-Identifier: Apache-2.0
#include "session/post_hooks.hpp"

#include "pgwire/sqlstate.hpp"

#include <cassert>
#include <utility>

namespace helios::session {

PostHooks::PostHooks(base::Executor& home, Recycler& recycler, kv::Store* store,
                     std::function<void()> on_done)
    : home_(home), recycler_(recycler), store_(store), on_done_(std::move(on_done)) {}

hooks::ChainRun& PostHooks::chain_run() {
  if (!chain_run_) {
    chain_run_ = std::make_unique<hooks::ChainRun>(home_, [this] {
      note_result();
      if (advance() == hooks::RunStatus::done) on_done_();
    });
  }
  return *chain_run_;
}

hooks::RunStatus PostHooks::start(std::vector<std::unique_ptr<QueryRun>>& runs,
                                  Settlements* settlements) {
  assert(!pending_);
  runs_.swap(runs);  // with what is left of the last ones
  run_ = 0;
  statement_ = 0;
  is_hook_started_ = false;
  settlements_ = settlements;
  if (settlements != nullptr && settlements->has_due()) settlements->take_due(settled_);
  next_settled_ = 0;
  in_this_turn_ = 0;
  fatal_.reset();
  return advance();
}

hooks::RunStatus PostHooks::advance() {
  pending_ = false;
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
        is_hook_started_ = true;
        if (auto stopped = run_hook(hooks::HookPoint::post_query, *statement.execution,
                                    statement.is_session_statement)) {
          return stopped;
        }
      }
      is_hook_started_ = false;
      ++statement_;
      if (statement.execution) on_post_query(statement);
    }
  }
  return std::nullopt;
}

std::optional<hooks::RunStatus> PostHooks::run_settled() {
  while (next_settled_ < settled_.size()) {
    if (in_this_turn_++ == kStatementsPerTurn) return yield();
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
    pending_ = true;
    return hooks::RunStatus::pending;
  }
  note_result();
  return std::nullopt;
}

void PostHooks::on_post_query(StatementRun& statement) {
  if (!statement.execution->chain->has_settled()) return;
  EndedStatement ended{std::move(statement.execution), statement.is_session_statement};
  if (settlements_ != nullptr && !ended.execution->settlement) {
    settlements_->keep(std::move(ended));
  } else {
    settled_.push_back(std::move(ended));
  }
}

hooks::RunStatus PostHooks::wait_for_state() {
  const Kept kept = wait_until_kept(store_, home_, std::exchange(tickets_, {}), [this](Kept late) {
    note_kept(late);
    pending_ = false;
    on_done_();
  });
  pending_ = kept == Kept::pending;
  if (pending_) return hooks::RunStatus::pending;
  note_kept(kept);
  return hooks::RunStatus::done;
}

void PostHooks::note_kept(Kept kept) {
  if (kept == Kept::yes || fatal_) return;
  fatal_ = std::make_unique<hooks::ChainResult>();
  fatal_->fatal = true;
  fatal_->sqlstate = pgwire::sqlstate::kIoError;
  fatal_->message = kNotKeptText;
}

// Other sessions of the worker get their turn.
hooks::RunStatus PostHooks::yield() {
  in_this_turn_ = 0;
  pending_ = true;
  home_.post([this] {
    if (advance() == hooks::RunStatus::done) on_done_();
  });
  return hooks::RunStatus::pending;
}

void PostHooks::note_result() {
  const hooks::ChainResult& result = chain_run().result();
  tickets_.note(chain_run().tickets());
  if (result.fatal) fatal_ = std::make_unique<hooks::ChainResult>(result);
}

}  // namespace helios::session
