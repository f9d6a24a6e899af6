// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace helios::sql {

// The numbers of the parameters ($1, $2, ...) in a text that parses, ascending, each once; those that no
// Bind can give (above 65535) are left out. Thread rule: any thread.
[[nodiscard]] std::vector<std::size_t> parameters_in(std::string_view text,
                                                     bool standard_conforming_strings);

}  // namespace helios::sql
