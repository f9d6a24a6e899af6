// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the post_query hooks of finished messages, statement after statement, and then the settled hooks
// of statements whose transaction has ended. Used where an answer is held back until they have
// committed, where a message was refused, and where the connection was lost. Done means also that what
// their hooks stored, or saw, is kept as the classes of their namespaces promise: the answer may rest on
// it.
//
// An exception (see base/faults.hpp) leaves undone what comes behind it; the next start() goes on with
// that. No hook is called twice.

#include "base/completion.hpp"
#include "hooks/chain.hpp"
#include "hooks/state_barrier.hpp"
#include "session/query_run.hpp"
#include "session/recycler.hpp"
#include "session/settlements.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace helios::session {

class PostHooks {
 public:
  // `on_done` is called on the home executor when a start() that answered pending is through. What is done
  // with goes to `recycler`.
  PostHooks(base::Executor& home, Recycler& recycler, std::function<void()> on_done);

  // The next start() throws nothing before it has taken the runs.
  void make_room();

  // Takes `runs`, leaving none; runs their hooks in their order, and of what is due in `settlements`, which keeps statements
  // that are not settled yet and lives until done; null: all of them are. Requires: every execution in
  // `runs` has its outcome; not pending. A null run is skipped.
  hooks::RunStatus start(std::vector<std::unique_ptr<QueryRun>>& runs, Settlements* settlements);

  [[nodiscard]] bool pending() const { return done_.is_awaited(); }

  // An exception has left something undone, and start() is to be called again.
  [[nodiscard]] bool has_left() const {
    return !pending() && work_ && !(work_->runs.empty() && work_->settled.empty());
  }

  // After done: set when a plugin failed, or its state cannot be kept, and its policy is to end the
  // session then; null otherwise. Throws what hooks have thrown, once.
  [[nodiscard]] const hooks::ChainResult* fatal();

 private:
  void resume();
  void note_fault();
  hooks::RunStatus advance();
  std::optional<hooks::RunStatus> run_post_query();
  std::optional<hooks::RunStatus> run_settled();
  std::optional<hooks::RunStatus> run_hook(hooks::HookPoint point,
                                           hooks::StatementExecution& execution,
                                           bool is_session_statement);
  void on_post_query(StatementRun& statement);
  hooks::RunStatus yield();
  [[nodiscard]] hooks::ChainRun& chain_run();
  void note_result();
  hooks::RunStatus wait_for_state();
  void note_kept(hooks::Kept kept);

  // Made with the first start(): most sessions are idle.
  struct Work {
    std::unique_ptr<hooks::ChainRun> chain_run;  // made with the first hook
    std::vector<std::unique_ptr<QueryRun>> runs;
    std::size_t run = 0;
    std::size_t statement = 0;
    bool is_hook_started = false;  // the post_query of that one
    Settlements* settlements = nullptr;
    std::vector<EndedStatement> settled;  // their hooks come when all of the others are through
    std::size_t next_settled = 0;
    std::size_t in_this_turn = 0;  // statements; see kStatementsPerTurn
    hooks::Receipt receipt;        // of the statements so far
    std::unique_ptr<hooks::ChainResult> fatal;
    std::exception_ptr fault;  // that nobody has been told yet
  };

  base::Executor& home_;
  Recycler& recycler_;
  std::unique_ptr<Work> work_;
  base::Completion done_;
};

}  // namespace helios::session
