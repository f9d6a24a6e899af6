// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of the C side's records.

#include "sql/facts.hpp"
#include "sql/parse_tree.h"

namespace helios::sql {

// Copies everything out of the tree. Thread rule: that of the tree.
[[nodiscard]] Facts read_facts(const sql_facts& found);

}  // namespace helios::sql
