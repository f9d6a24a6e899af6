// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/analyzer.hpp"

namespace helios::fuzz {

// Do two statements say the same about texts of which the second begins `shift` bytes later?
[[nodiscard]] bool same_statement(const sql::Statement& a, const sql::Statement& b,
                                  std::size_t shift = 0);

[[nodiscard]] bool same_analysis(const sql::Analysis& a, const sql::Analysis& b);

}  // namespace helios::fuzz
