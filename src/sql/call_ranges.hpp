// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the calls of helios.kv() and their arguments end: the parse tree knows only where they begin.

#include "sql/analysis.hpp"
#include "sql/tokens.hpp"

#include <cstddef>
#include <vector>

namespace helios::sql {

// Fills `call`'s end and the ranges of its arguments, and moves its begin back to the word LATERAL
// where `is_lateral`. Requires: begin is that of its name. A call that cannot be located or whose
// arguments carry a word that the tree drops (ALL) gets a problem.
void fill_ranges(KvCall& call, bool is_lateral, const std::vector<Token>& tokens);

}  // namespace helios::sql
