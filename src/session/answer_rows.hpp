// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that a plugin gives as the answer of a statement, in the two forms in which a client can get
// them: as messages from the proxy, where nothing else is going on, or as a statement that makes the
// server produce them, where order and transaction state must come from it.

#include "hooks/statement_execution.hpp"

#include <string>
#include <string_view>

namespace helios::session {

// Empty, or what is wrong with it: too many columns, rows of another width, NUL bytes, or more than
// `max_bytes` in all.
[[nodiscard]] std::string_view problem_of(const hooks::Answer& answer, std::uint64_t max_bytes);

// RowDescription, DataRows, CommandComplete.
[[nodiscard]] std::string answer_messages(const hooks::Answer& answer);

// One SELECT with the same columns and rows.
[[nodiscard]] std::string answer_statement(const hooks::Answer& answer);

}  // namespace helios::session
