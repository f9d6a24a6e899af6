// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace helios::fuzz {

// A query text from an input: the input itself, or, when it begins with '#', one piece of SQL for
// each byte behind that. Pieces reach what the grammar accepts much sooner than letters do.
// NUL bytes, which no Query can hold, are left out.
[[nodiscard]] std::string sql_text(std::string_view input);

}  // namespace helios::fuzz
