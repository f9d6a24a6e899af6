// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of a "cached" verdict of ABI 1:
//   {"columns": [{"name": "n", "oid": 23}, ...], "rows": [["1", null], ...]}
// "oid" defaults to 25 (text); values are text or null.

#include "base/result.hpp"
#include "hooks/statement_execution.hpp"

#include <string_view>

namespace helios::plugins {

// Errors: invalid.
[[nodiscard]] base::Result<hooks::Answer> abi1_answer(std::string_view json);

}  // namespace helios::plugins
