// SPDX-License-Identifier: Apache-2.0
#pragma once

// What --since and its like mean, and --for.

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace helios::cli {

// The moment that `text` means: a time as in RFC 3339, or so long before `now_ms`: "500ms", "30s", "10m", "2h",
// "7d". Errors: invalid.
[[nodiscard]] base::Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_ms);

// The same for another option, which an error names.
[[nodiscard]] base::Result<std::int64_t> parse_moment(std::string_view option,
                                                      std::string_view text, std::int64_t now_ms);

// So many milliseconds: "500ms", "30s", "10m", "2h", "7d". Errors: invalid.
[[nodiscard]] base::Result<std::int64_t> parse_duration(std::string_view text);

}  // namespace helios::cli
