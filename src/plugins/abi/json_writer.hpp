// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes JSON by appending to a string: what hook calls hand to guests is written once per call, so
// it is not built as a tree first.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace helios::plugins {

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, one per byte:
// statements may be in any encoding, JSON may not.
void append_json_string(std::string& out, std::string_view text);

// `text` with every byte that is not UTF-8 replaced likewise.
[[nodiscard]] std::string to_utf8(std::string_view text);

// A string, or null when it is empty.
void append_json_string_or_null(std::string& out, std::string_view text);

// Decimal, no exponent.
void append_json_number(std::string& out, std::integral auto number) {
  out += std::to_string(number);
}

}  // namespace helios::plugins
