// SPDX-License-Identifier: Apache-2.0
#include "session/post_hooks.hpp"

#include <cassert>
#include <utility>

namespace helios::session {

PostHooks::PostHooks(base::Executor& home, std::function<void()> on_done)
    : home_(home), on_done_(std::move(on_done)) {}

hooks::ChainRun& PostHooks::chain_run() {
  if (!chain_run_) {
    chain_run_ = std::make_unique<hooks::ChainRun>(home_, [this] {
      note_result();
      if (advance() == hooks::RunStatus::done) on_done_();
    });
  }
  return *chain_run_;
}

hooks::RunStatus PostHooks::start(std::vector<std::unique_ptr<QueryRun>> runs) {
  assert(!pending_);
  runs_ = std::move(runs);
  run_ = 0;
  statement_ = 0;
  in_this_turn_ = 0;
  fatal_.reset();
  return advance();
}

hooks::RunStatus PostHooks::advance() {
  pending_ = false;
  for (; run_ < runs_.size(); ++run_, statement_ = 0) {
    if (!runs_[run_]) continue;
    auto& statements = runs_[run_]->statements;
    while (statement_ < statements.size()) {
      if (in_this_turn_++ == kStatementsPerTurn) return yield();
      StatementRun& statement = statements[statement_++];
      if (!statement.execution) continue;
      if (chain_run().start(hooks::HookPoint::post_query, *statement.execution,
                            statement.statement->is_session_statement) ==
          hooks::RunStatus::pending) {
        pending_ = true;
        return hooks::RunStatus::pending;
      }
      note_result();
    }
  }
  runs_.clear();
  return hooks::RunStatus::done;
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
  if (result.fatal) fatal_ = std::make_unique<hooks::ChainResult>(result);
}

}  // namespace helios::session
