// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions for large objects, which libpq (psql's \lo_import, lo_open() and its like) and pgjdbc call by FunctionCall: by
// number, without a text. Their numbers are the same in every PostgreSQL since 9.3.

#include <cstdint>
#include <string_view>

namespace helios::session {

// The statement that does the same as a FunctionCall of `function`, with its arguments as parameters: what plugins are
// shown. Empty: it is none of these.
[[nodiscard]] std::string_view large_object_statement(std::uint32_t function);

}  // namespace helios::session
