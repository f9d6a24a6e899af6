// SPDX-License-Identifier: Apache-2.0
#pragma once

// set_config() whose arguments are parameters: what it changes, once they are bound.

#include "hooks/statement_execution.hpp"
#include "sql/analysis.hpp"

#include <optional>
#include <span>

namespace helios::session {

// A copy of `statement` with its bound changes turned into what they do under `parameters`: unknown
// where a parameter is missing, of another type than text or boolean, or in a format that is not read.
// nullopt: it has no bound change.
[[nodiscard]] std::optional<sql::Statement> resolve_bound_settings(
    const sql::Statement& statement, std::span<const hooks::Parameter> parameters);

}  // namespace helios::session
