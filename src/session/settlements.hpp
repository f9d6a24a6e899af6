// SPDX-License-Identifier: Apache-2.0
#pragma once

// What becomes of the statements of one session: committed, rolled back, or nobody can tell. It is told
// what the server answers, in stream order, and writes StatementExecution::settlement as soon as that
// is known:
//   failed, skipped, refused     rolled back at once: nothing of such a statement can be committed, unless a
//                                savepoint was set between its Bind and its failure: then with its transaction
//   executed inside of a block   when COMMIT, ROLLBACK, ROLLBACK TO or PREPARE TRANSACTION was answered
//   executed outside of a block  at the ReadyForQuery that covers it: all of its Query, or of its
//                                pipeline up to Sync, is one transaction
//   the connection ends          rolled back where nothing was under way, unknown otherwise
//
// The server's words are what counts: the tag of a COMMIT, which says ROLLBACK for a failed
// transaction, and the status in ReadyForQuery. Unknown is also what PREPARE TRANSACTION leaves to other
// sessions, what a procedure or a command that ends transactions itself may have committed before a later
// failure, what a procedure, which may roll back, had in front of it in its pipeline, what a ROLLBACK undid that nobody read, what a ROLLBACK TO undid in part (the savepoint stands between Bind
// and Execute, or between two Executes), and what does not fit (see `limit`).
//
// Statements are kept here from their post_query until then. Only those of chains that have a settled
// hook are followed.
//
// Thread rule: the session's.

#include "base/make_room.hpp"
#include "hooks/statement_execution.hpp"
#include "pgwire/message_types.hpp"
#include "session/query_run.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

// A statement that had its post_query.
struct EndedStatement {
  std::unique_ptr<hooks::StatementExecution> execution;
  bool is_session_statement = false;
};

class Settlements {
 public:
  // No statement waits for its transaction. Then, and while no plugin has a settled hook, the next three
  // need not be called.
  [[nodiscard]] bool empty() const { return open_.empty(); }

  // A statement has worked in the present transaction, and goes on (BindComplete: planning runs functions; or
  // PortalSuspended) or is complete. `run`: null where nobody follows it, or nobody could read it. `limit`: so many
  // may wait at once; what comes on top is unknown. `is_alone`: its message has no other statement.
  void on_progress(StatementRun* run, std::size_t limit);
  void on_complete(StatementRun* run, std::string_view tag, bool is_alone, std::size_t limit);
  void on_error(StatementRun* run, bool is_alone);

  // ReadyForQuery.
  void on_ready(pgwire::TransactionStatus status);

  // The connection to the server ends. `is_quiet`: it owed no answer, so it has undone what was open.
  void on_end(bool is_quiet);

  // Before keep(): that one throws nothing then.
  void make_room_for_due() { base::make_room(due_); }

  // Takes over a statement that had its post_query and whose settlement is not known yet.
  void keep(EndedStatement statement);

  // Kept statements whose settlement is known now, oldest first. Taken by an exchange with an empty list.
  [[nodiscard]] bool has_due() const { return !due_.empty(); }
  void take_due(std::vector<EndedStatement>& out) { due_.swap(out); }

  // About what it takes.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  // Moments of the session, counted: each progress of a statement is one. 0 = never.
  using Moment = std::uint64_t;
  // Of the present transaction, in the order in which they began.
  struct Open {
    hooks::StatementExecution* execution = nullptr;
    Moment began = 0;
    Moment worked = 0;    // last
    EndedStatement kept;  // that one, once its post_query has run
  };
  struct Savepoint {
    std::string name;
    Moment set = 0;
  };

  void open(StatementRun& run, std::size_t limit);
  [[nodiscard]] std::vector<Open>::iterator find(const StatementRun& run);
  [[nodiscard]] std::vector<Open>::iterator first_after(Moment moment);
  void decide(Open& open, hooks::Settlement settlement);
  void decide_from(std::vector<Open>::iterator first, hooks::Settlement settlement);
  void decide_all(hooks::Settlement settlement) { decide_from(open_.begin(), settlement); }
  void end_transaction(hooks::Settlement settlement);
  void end_unread(std::string_view tag);
  void note_end_within(const StatementRun& run);
  void savepoint(const std::string& name);
  void release(const std::string& name);
  void lose_savepoints();
  void rollback_to(const std::string& name);
  [[nodiscard]] std::vector<Savepoint>::iterator find_savepoint(const std::string& name);

  std::vector<Open> open_;
  std::size_t kept_ = 0;  // of open_, before the first that is not kept
  std::vector<Savepoint> savepoints_;
  bool savepoints_lost_ = false;  // there may be others
  Moment last_lost_ = 0;          // when the last of those was set, at the latest
  Moment doubtful_ = 0;           // what began up to then may be committed, whatever fails
  Moment undoable_ = 0;           // and up to then undone, whatever succeeds
  Moment now_ = 0;
  bool in_block_ = false;
  bool failed_ = false;  // the present transaction can only be rolled back
  std::vector<EndedStatement> due_;
};

}  // namespace helios::session
