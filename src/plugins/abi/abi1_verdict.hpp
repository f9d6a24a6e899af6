// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a pre_query of ABI 1 answers: JSON in one of two dialects that existing plugins write.
//
//   {"action": "continue"}                 {"kind": "continue"}
//   {"action": "block", "value": reason}   {"kind": "block", "reason": reason}
//   {"action": "rewrite", "value": sql}    {"kind": "rewrite", "sql": sql}
//
// Unknown fields are ignored. Beside a block, "sqlstate" may name the error code for the client, and
// "detail" and "hint" say more.

#include "base/result.hpp"
#include "hooks/statement_execution.hpp"

#include <string_view>

namespace helios::plugins {

// Errors: invalid, for everything else: not JSON, no action, an unknown one, or one without what
// belongs to it. An answer that cannot be understood is the plugin's failure, never a "continue".
[[nodiscard]] base::Result<hooks::Verdict> abi1_verdict(std::string_view json);

}  // namespace helios::plugins
