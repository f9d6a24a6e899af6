// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hooks/statement_execution.hpp"

#include <array>
#include <cstddef>

namespace helios::plugins {

inline constexpr std::size_t kUuidChars = 36;

// A UUID per statement execution, the same in all of its hooks: plugins use it to recognise in
// post_query what they noted in pre_query. Made from the session's UUID and the statement's id, it
// needs no random numbers.
[[nodiscard]] std::array<char, kUuidChars> request_id(const hooks::StatementExecution& statement);

}  // namespace helios::plugins
