// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions for large objects, which libpq (psql's \lo_import, lo_open() and its like) and pgjdbc call by FunctionCall: by
// number, without a text. Their numbers are the same in every PostgreSQL since 9.3.

#include "pgwire/extended.hpp"
#include "session/environment.hpp"
#include "session/prepared.hpp"
#include "sql/analysis.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace helios::session {

// The statement that does the same as a FunctionCall of `function`, with its arguments as parameters: what plugins are
// shown. Empty: it is none of these.
[[nodiscard]] std::string_view large_object_statement(std::uint32_t function);

// That statement, bound to the arguments of `call`. Null: it calls none of these, or its arguments cannot be read.
[[nodiscard]] std::shared_ptr<const BoundStatement> bind_large_object_call(
    Environment& environment, const pgwire::FunctionCallView& call, sql::ReadingRules rules);

}  // namespace helios::session
