// SPDX-License-Identifier: Apache-2.0
#pragma once

// One Query message on its way: its statements, what hooks said about them, and how far the server
// has come. Pure bookkeeping; the gate fills it before the message is forwarded, the server side
// advances it as answers arrive.

#include "hooks/chain.hpp"
#include "hooks/statement_execution.hpp"
#include "session/settings.hpp"
#include "sql/analysis.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

struct StatementRun {
  const sql::Statement* statement = nullptr;  // owned by `analysis`
  std::shared_ptr<const sql::Analysis> analysis;
  // What the hooks see; null when none of them looks at this statement.
  std::unique_ptr<hooks::StatementExecution> execution;
  std::string replacement;  // the text that runs instead of the client's; empty = the client's
};

// A message may hold thousands of statements: after so many, hooked in one go, a session lets the others
// of its worker have their turn.
inline constexpr std::size_t kStatementsPerTurn = 64;

class QueryRun {
 public:
  std::string text;  // the whole Query; what the statements' positions refer to
  std::vector<StatementRun> statements;
  bool touches_session = false;  // some statement changes settings or the transaction
  std::size_t held_bytes = 0;    // about what it takes; added to by whoever adds to it

  // The message was handed to the server at `now_ns`.
  void set_forwarded(std::int64_t now_ns) { statement_started_ns_ = now_ns; }

  // A message of the answer arrived; `bytes` is its size, framing included.
  void on_answer_bytes(std::uint64_t bytes) { answer_bytes_ += bytes; }

  // CommandComplete or EmptyQueryResponse: the present statement is done. Applies what it did to
  // `settings`.
  void on_complete(std::string_view tag, std::int64_t now_ns, Settings& settings);

  // ErrorResponse: the present statement failed; the server runs none of the others.
  void on_error(std::string_view sqlstate, std::string_view message, std::int64_t now_ns);

  // Gives every statement without an outcome `outcome`.
  void finish(hooks::Outcome outcome, std::int64_t now_ns);

  // All statements of a message that never reached the server.
  void refuse(std::string_view sqlstate, std::string_view message);

  // The only statement of a message was answered by a plugin, with `rows` rows.
  void answer(std::uint64_t rows);

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool has_executions() const;

 private:
  void close_statement(hooks::Outcome outcome, std::int64_t now_ns);

  std::size_t current_ = 0;  // statements before it have their outcome
  bool failed_ = false;
  std::int64_t statement_started_ns_ = 0;
  std::uint64_t answer_bytes_ = 0;  // of the present statement
};

// What `statement` does to `settings` when it succeeds. `is_rolled_back`: a COMMIT that the server
// turned, or will turn, into a ROLLBACK.
void apply_statement(const sql::Statement& statement, bool is_rolled_back, Settings& settings);

}  // namespace helios::session
