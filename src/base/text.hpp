// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small text helpers that several modules share. All are pure and know nothing of locales: letters
// are the ASCII ones.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace helios::base {

[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equals_ignore_case(std::string_view a, std::string_view b);

// Position of `needle` (given in lower case) in `haystack`, ignoring case; npos when absent.
[[nodiscard]] std::size_t find_ignore_case(std::string_view haystack, std::string_view needle);

[[nodiscard]] bool is_valid_utf8(std::string_view text);

// `text` fit for one log line: control bytes and non-ASCII as \xNN, cut after `max_bytes` of input
// with "..." where something is missing.
[[nodiscard]] std::string escape_for_log(std::string_view text, std::size_t max_bytes = 200);

// The lines of `text`, without their ends.
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

// Several lines as one, for a place that has room for one: "; " stands between them.
[[nodiscard]] std::string one_line(std::string_view lines);

[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace helios::base
