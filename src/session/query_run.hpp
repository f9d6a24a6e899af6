// SPDX-License-Identifier: Apache-2.0
#pragma once

// One Query, portal or FunctionCall on its way: its statements, what hooks said about them, and how
// far the server has come. Pure bookkeeping; the judge fills it before the message is forwarded, the
// server side advances it as answers arrive.

#include "hooks/chain.hpp"
#include "hooks/statement_execution.hpp"
#include "session/answer_cap.hpp"
#include "session/name_log.hpp"
#include "session/refusal.hpp"
#include "session/settings.hpp"
#include "sql/analysis.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

struct BoundStatement;
struct Names;
struct PreparedStatement;

// What a statement changes in a session when it succeeds.
struct Followed {
  Settings& settings;
  Names& names;
};

struct StatementRun {
  const sql::Statement* statement = nullptr;  // owned by one of the next three
  std::shared_ptr<const sql::Analysis> analysis;
  std::shared_ptr<const PreparedStatement> prepared;    // EXECUTE: what it runs; null: not known
  std::shared_ptr<const sql::Analysis> execute;         // with `prepared`: of the EXECUTE itself
  std::unique_ptr<const sql::Statement> own_statement;  // parameters say what it does to settings
  NameChanges names;
  // What the hooks see; null when none of them looks at this statement.
  std::unique_ptr<hooks::StatementExecution> execution;
  // The client's statement only manages the session, whatever a plugin made of it: says which plugins'
  // hooks run, before and after.
  bool is_session_statement = false;
  AnswerCaps
      caps;  // what its answer has to keep to: of its own verdict, and of the cursor that it fetches from
  std::unique_ptr<Refusal> refusal;  // kFailingStatement runs instead: its error becomes this one
  std::string replacement;  // the text that runs instead of the client's; empty = the client's
  // When it began to work in a transaction, and may be undone with it; 0: not yet. See settlements.hpp.
  std::uint64_t open_since = 0;
};

// A message may hold thousands of statements: after so many, hooked in one go, a session lets the others
// of its worker have their turn.
inline constexpr std::size_t kStatementsPerTurn = 64;

class QueryRun {
 public:
  QueryRun() = default;
  ~QueryRun();  // apart, so that a pointer to none is done with at once
  QueryRun(const QueryRun&) = delete;
  QueryRun& operator=(const QueryRun&) = delete;

  std::string_view text;  // what the statements' positions refer to; in one of the next two
  std::string own_text;   // of a Query
  std::shared_ptr<const BoundStatement> bound;  // of a portal: what it runs
  std::vector<StatementRun> statements;
  bool touches_session = false;  // some statement changes settings or the transaction
  std::size_t held_bytes = 0;    // about what it takes; added to by whoever adds to it

  // The statement that the next answer belongs to; null: none is left.
  [[nodiscard]] StatementRun* present() {
    return current_ < statements.size() ? &statements[current_] : nullptr;
  }

  // A message of the answer arrived; `bytes` is its size, framing included.
  void on_answer_bytes(std::uint64_t bytes) { answer_bytes_ += bytes; }

  // Rows of the present statement, whose answer has caps, have passed.
  void note_rows(std::uint64_t count) { rows_sent_ += count; }
  // The answer of the present statement was cut: its rows are those that have passed.
  void note_cut() { is_answer_cut_ = true; }

  // The server spent so long on the present statement.
  void spend(std::int64_t ns) { spent_ns_ += ns; }

  // It has ended, and what followed took so long more: the last statement of it that may have run did that.
  void spend_at_end(std::int64_t ns);

  // CommandComplete, EmptyQueryResponse or FunctionCallResponse: the present statement is done. Applies
  // what it did to `followed`.
  void on_complete(std::string_view tag, Followed followed);

  // PortalSuspended, after `rows` rows: the statement goes on with the next Execute of its portal.
  void on_suspended(std::uint64_t rows, Followed followed);

  // ErrorResponse: the present statement failed; the server runs none of the others.
  void on_error(std::string_view sqlstate, std::string_view message, Names& names);

  // ErrorResponse to an Execute that perhaps did not get as far as the portal: another one may run it.
  void on_attempt_failed(std::string_view sqlstate, std::string_view message);

  // Gives every statement without an outcome `outcome`; what it would have named, it has not.
  void finish(hooks::Outcome outcome, Names& names);

  // The portal, which the server has made, ends without having come to its last row. Nobody asked for any: unknown, as
  // planning runs functions, and FETCH or a function may have run it. `went_on`: it could still be run behind the
  // attempt that failed.
  void finish_portal(bool went_on, Names& names);

  // All statements of a message that never reached the server.
  void refuse(std::string_view sqlstate, std::string_view message, Names& names);

  // The only statement of a message was answered by a plugin, with `rows` rows.
  void answer(std::uint64_t rows);

  // Every statement has its outcome.
  [[nodiscard]] bool is_finished() const { return current_ >= statements.size(); }
  [[nodiscard]] bool has_executions() const;
  [[nodiscard]] bool defines_names() const;
  // Its last statement is one that fails: what the client had behind it is not sent.
  [[nodiscard]] bool is_cut() const { return !statements.empty() && statements.back().refusal; }
  // Rows of it have come, and more may.
  [[nodiscard]] bool is_suspended() const { return settings_applied_; }

 private:
  void apply_settings(std::string_view tag, Settings& settings);
  void close_statement(hooks::Outcome outcome, Names& names);

  std::size_t current_ = 0;          // statements before it have their outcome
  bool settings_applied_ = false;    // of the present statement
  bool has_failed_attempt_ = false;  // on_attempt_failed()
  std::int64_t spent_ns_ = 0;        // on the present statement
  std::uint64_t answer_bytes_ = 0;   // of the present statement
  std::uint64_t rows_before_ = 0;    // that the portal gave before it was suspended
  std::uint64_t rows_sent_ = 0;      // of the present statement, where its answer has caps
  bool is_answer_cut_ = false;       // of the present statement
};

// What `statement` does to `settings` when it succeeds. `is_rolled_back`: a COMMIT that the server
// turned, or will turn, into a ROLLBACK.
void apply_statement(const sql::Statement& statement, bool is_rolled_back, Settings& settings);

}  // namespace helios::session
