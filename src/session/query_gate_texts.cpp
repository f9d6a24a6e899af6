// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/answer_rows.hpp"
#include "session/kv_rows.hpp"
#include "session/query_gate.hpp"

#include <algorithm>
#include <utility>

// What runs in the place of the client's text: rows of a plugin, a plugin's text, helios.kv().

namespace helios::session {

namespace state = pgwire::sqlstate;

// What DECLARE said of a cursor (BINARY, SCROLL, WITH HOLD), and how far it has been fetched, no Bind can
// say again. A FunctionCall is answered in a form of its own. False = refused.
bool QueryGate::may_be_replaced() {
  if (subject_ == Subject::function_call) {
    refuse(state::kFeatureNotSupported,
           "Query refused: a plugin put something else in the place of a function call of the "
           "protocol, which cannot be done");
    return false;
  }
  if (!run_->bound || !run_->bound->is_declared) return true;
  refuse(
      state::kFeatureNotSupported,
      "Query refused: a plugin put another text in the place of a declared cursor's query, which "
      "can be done at its DECLARE only");
  return false;
}

// A plugin's rows are the answer. Alone and idle they go to the client directly; otherwise the server
// is made to produce them, so that order, transaction state and the unnamed statement, which a Query ends,
// stay its own. False = settled here.
bool QueryGate::adopt_answer(StatementRun& run) {
  const hooks::Answer& answer = *run.execution->answer;
  if (!may_be_replaced()) return false;
  const std::uint64_t max_bytes = config_->protocol.max_query_bytes;
  if (const std::string_view problem = problem_of(answer, max_bytes); !problem.empty()) {
    refuse(state::kSystemError,
           "Query refused: the answer of a plugin is unusable: " + std::string(problem));
    return false;
  }
  const bool is_idle =
      view_.held_ready.empty() && view_.link->is_quiet() && !view_.names.statements.has("");
  if (subject_ != Subject::query || run_->statements.size() > 1 || !is_idle) {
    run.execution->rewritten = answer_statement(answer);
    run_->held_bytes += run.execution->rewritten.size();
    return true;
  }
  decision_.answer = answer_messages(answer);
  run_->answer(answer.rows.size());
  settle();
  return false;
}

// A plugin's text must be exactly one statement: the answers are counted by it. helios.kv() is never
// expanded in it.
bool QueryGate::adopt_rewrite(StatementRun& run) {
  if (!may_be_replaced()) return false;
  const std::string& text = run.execution->rewritten;
  auto analysis = view_.environment.analyzer->analyze(text, view_.link->rules());
  if (!analysis->parsed || analysis->statements.size() != 1) {
    refuse(state::kSystemError,
           "Query refused: a plugin rewrote it to a text that is not one statement");
    return false;
  }
  run.statement = &analysis->statements[0];
  run.analysis = std::move(analysis);
  run.replacement = text;
  run_->held_bytes += 2 * text.size();
  if (run.analysis->touches_session) follow_settings();
  if (auto refusal = objection(*run.statement)) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return false;
  }
  return true;
}

// False = refused, here and in adopt_rewrite().
bool QueryGate::expand_kv(StatementRun& run) {
  const sql::Statement& statement = *run.statement;
  if (statement.kv_calls.empty()) return true;
  if (!may_read_kv(statement)) return false;
  if (run.prepared) {
    refuse(state::kFeatureNotSupported,
           "a statement with helios.kv() that was prepared by Parse cannot be run by EXECUTE");
    return false;
  }
  const std::string_view text = run_->text;
  const std::uint64_t max_bytes = config_->kv_sql.max_bytes;
  auto rendered = subject_ == Subject::parse ? describe_kv_calls(statement.kv_calls, text)
                                             : render_kv_calls(statement.kv_calls, text,
                                                               *view_.environment.store, max_bytes);
  if (!rendered) {
    const bool is_name = rendered.error().code == base::Errc::invalid;
    refuse(is_name ? state::kInvalidParameterValue : state::kProgramLimitExceeded,
           rendered.error().message);
    return false;
  }
  std::size_t from = statement.begin;
  for (std::size_t i = 0; i < rendered->size(); ++i) {
    const sql::KvCall& call = statement.kv_calls[i];
    run.replacement.append(text.substr(from, call.begin - from)).append((*rendered)[i]);
    from = call.end;
  }
  run.replacement.append(text.substr(from, statement.end - from));
  run_->held_bytes += run.replacement.size();
  return true;
}

// False = refused.
bool QueryGate::may_read_kv(const sql::Statement& statement) {
  const auto& readers = config_->kv_sql.readers;
  if (std::ranges::find(readers, view_.identity.user()) == readers.end()) {
    refuse(state::kInsufficientPrivilege, "permission denied for function helios.kv: user \"" +
                                              view_.identity.user() +
                                              "\" is not listed in [kv_sql] readers");
    return false;
  }
  for (const sql::KvCall& call : statement.kv_calls) {
    if (call.problem.empty()) continue;
    refuse(state::kFeatureNotSupported, call.problem);
    return false;
  }
  return true;
}

// The text with the replacements of its statements; nothing when there are none.
void QueryGate::compose_text() {
  const bool is_changed = std::ranges::any_of(
      run_->statements, [](const auto& run) { return !run.replacement.empty(); });
  if (!is_changed) return;
  const std::string_view text = run_->text;
  std::string out;
  std::size_t from = 0;
  for (std::size_t i = 0; i < run_->statements.size(); ++i) {
    const StatementRun& run = run_->statements[i];
    if (run.replacement.empty()) continue;
    const sql::Statement& original = analysis_->statements[i];
    out.append(text.substr(from, original.begin - from)).append(run.replacement);
    from = original.end;
    // A text of a plugin may end in a comment, which must not swallow what follows.
    if (run.analysis != analysis_ && from < text.size()) out.push_back('\n');
  }
  if (!run_->is_cut()) out.append(text.substr(from));
  decision_.new_text = std::move(out);
}

}  // namespace helios::session
