// SPDX-License-Identifier: Apache-2.0
#pragma once

// What runs in the place of a client's statement: the rows of a plugin, a plugin's text, the rows of helios.kv(). Fills
// StatementRun::replacement, and composes the text of the whole message from them.
//
// Errors: what cannot be put in its place is a refusal. nullopt = done.
//
// Thread rule: the session's.

#include "config/config.hpp"
#include "hooks/statement_execution.hpp"
#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/session_context.hpp"
#include "sql/analysis.hpp"

#include <optional>
#include <string>

namespace helios::session {

// What DECLARE said of a cursor (BINARY, SCROLL, WITH HOLD), and how far it has been fetched, no Bind can say again. A
// FunctionCall is answered in a form of its own.
[[nodiscard]] std::optional<Refusal> objection_to_replacing(const QueryRun& message,
                                                            bool is_function_call);

// To rows that no server could have sent. Limit: `max_bytes`.
[[nodiscard]] std::optional<Refusal> objection_to_answer(const hooks::Answer& answer,
                                                         std::uint64_t max_bytes);

// A plugin's text takes the place of the statement. It must be exactly one statement: the answers are counted by it.
// helios.kv() is never expanded in it.
[[nodiscard]] std::optional<Refusal> put_text(const SessionContext& context,
                                              const std::string& text, StatementRun& statement);

// Rows take the place of calls of helios.kv() in the statement, which stands in `message`. `only_shape`: no rows, but
// columns as Describe is to show them.
[[nodiscard]] std::optional<Refusal> put_kv_rows(const SessionContext& context,
                                                 const config::Config& config,
                                                 const QueryRun& message, bool only_shape,
                                                 StatementRun& statement);

// The text of `message` with the replacements of its statements; empty when there are none. `original`: of the
// client's text.
[[nodiscard]] std::string compose_text(const QueryRun& message,
                                       const std::shared_ptr<const sql::Analysis>& original);

// The text of its statements [first, last), on their own, with their replacements.
[[nodiscard]] std::string compose_piece(const QueryRun& message,
                                        const std::shared_ptr<const sql::Analysis>& original,
                                        std::size_t first, std::size_t last);

}  // namespace helios::session
