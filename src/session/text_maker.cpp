// SPDX-License-Identifier: Apache-2.0
#include "session/text_maker.hpp"

#include "pgwire/sqlstate.hpp"
#include "session/answer_rows.hpp"
#include "session/kv_rows.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace helios::session {

namespace state = pgwire::sqlstate;

namespace {

Refusal refusal(std::string_view sqlstate, std::string message) {
  return {std::string(sqlstate), std::move(message)};
}

std::optional<Refusal> objection_to_kv_calls(const SessionContext& context,
                                             const config::Config& config,
                                             const StatementRun& statement) {
  const auto& readers = config.kv_sql.readers;
  const std::string& user = context.identity.user();
  if (std::ranges::find(readers, user) == readers.end()) {
    return refusal(state::kInsufficientPrivilege,
                   "permission denied for function helios.kv: user \"" + user +
                       "\" is not listed in [kv_sql] readers");
  }
  for (const sql::KvCall& call : statement.statement->kv_calls) {
    if (!call.problem.empty()) return refusal(state::kFeatureNotSupported, call.problem);
  }
  if (!statement.prepared) return std::nullopt;
  return refusal(
      state::kFeatureNotSupported,
      "a statement with helios.kv() that was prepared by Parse cannot be run by EXECUTE");
}

}  // namespace

std::optional<Refusal> objection_to_replacing(const QueryRun& message, bool is_function_call) {
  if (is_function_call) {
    return refusal(state::kFeatureNotSupported,
                   "Query refused: a plugin put something else in the place of a function call of "
                   "the protocol, which cannot be done");
  }
  if (!message.bound || !message.bound->is_declared) return std::nullopt;
  return refusal(
      state::kFeatureNotSupported,
      "Query refused: a plugin put another text in the place of a declared cursor's query, which "
      "can be done at its DECLARE only");
}

std::optional<Refusal> objection_to_answer(const hooks::Answer& answer, std::uint64_t max_bytes) {
  const std::string_view problem = problem_of(answer, max_bytes);
  if (problem.empty()) return std::nullopt;
  return refusal(state::kSystemError,
                 "Query refused: the answer of a plugin is unusable: " + std::string(problem));
}

std::optional<Refusal> put_text(const SessionContext& context, const std::string& text,
                                StatementRun& statement) {
  auto analysis = context.environment.analyzer->analyze(text, context.link->rules());
  if (!analysis->parsed || analysis->statements.size() != 1) {
    return refusal(state::kSystemError,
                   "Query refused: a plugin rewrote it to a text that is not one statement");
  }
  statement.statement = &analysis->statements[0];
  statement.analysis = std::move(analysis);
  statement.replacement = text;
  return std::nullopt;
}

std::optional<Refusal> put_kv_rows(const SessionContext& context, const config::Config& config,
                                   const QueryRun& message, bool only_shape,
                                   StatementRun& statement) {
  const sql::Statement& client = *statement.statement;
  if (client.kv_calls.empty()) return std::nullopt;
  if (auto objection = objection_to_kv_calls(context, config, statement)) return objection;
  const std::string_view text = message.text;
  auto rendered = only_shape ? describe_kv_calls(client.kv_calls, text)
                             : render_kv_calls(client.kv_calls, text, *context.environment.store,
                                               config.kv_sql.max_bytes);
  if (!rendered) {
    const bool is_name = rendered.error().code == base::Errc::invalid;
    return refusal(is_name ? state::kInvalidParameterValue : state::kProgramLimitExceeded,
                   rendered.error().message);
  }
  std::size_t from = client.begin;
  for (std::size_t i = 0; i < rendered->size(); ++i) {
    const sql::KvCall& call = client.kv_calls[i];
    statement.replacement.append(text.substr(from, call.begin - from)).append((*rendered)[i]);
    from = call.end;
  }
  statement.replacement.append(text.substr(from, client.end - from));
  return std::nullopt;
}

namespace {

// Appends the client's text from `from` on, up to the end of the last replacement in [first, last). Returns where to go on.
std::size_t append_replacements(const QueryRun& message,
                                const std::shared_ptr<const sql::Analysis>& original,
                                std::size_t first, std::size_t last, std::size_t from,
                                std::string& out) {
  const std::string_view text = message.text;
  for (std::size_t i = first; i < last; ++i) {
    const StatementRun& run = message.statements[i];
    if (run.replacement.empty()) continue;
    const sql::Statement& client = original->statements[i];
    out.append(text.substr(from, client.begin - from)).append(run.replacement);
    from = client.end;
    // A text of a plugin may end in a comment, which must not swallow what follows.
    if (run.analysis != original && from < text.size()) out.push_back('\n');
  }
  return from;
}

}  // namespace

std::string compose_text(const QueryRun& message,
                         const std::shared_ptr<const sql::Analysis>& original) {
  const bool is_changed = std::ranges::any_of(
      message.statements, [](const auto& run) { return !run.replacement.empty(); });
  if (!is_changed) return {};
  std::string out;
  const std::size_t from =
      append_replacements(message, original, 0, message.statements.size(), 0, out);
  if (!message.is_cut()) out.append(message.text.substr(from));
  return out;
}

std::string compose_piece(const QueryRun& message,
                          const std::shared_ptr<const sql::Analysis>& original, std::size_t first,
                          std::size_t last) {
  std::string out;
  const std::size_t from =
      append_replacements(message, original, first, last, original->statements[first].begin, out);
  const std::size_t end = original->statements[last - 1].end;
  return out.append(message.text.substr(from, end - from));
}

}  // namespace helios::session
