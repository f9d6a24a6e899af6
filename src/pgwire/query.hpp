// SPDX-License-Identifier: Apache-2.0
#pragma once

// Query (F): 'Q', Int32 length, String text. And the first fields of Parse (F):
// 'P', Int32 length, String statement name, String text, Int16 n, Int32[n] parameter types.

#include <optional>
#include <string>
#include <string_view>

namespace helios::pgwire {

// The text, a view into `body`; nullopt when it is not exactly one terminated string.
[[nodiscard]] std::optional<std::string_view> parse_query(std::string_view body);
[[nodiscard]] std::string serialize_query(std::string_view text);

// The text of a Parse; nullopt when the two strings are not there.
[[nodiscard]] std::optional<std::string_view> parse_parse_text(std::string_view body);
// Terminate (F): 'X', Int32 4.
[[nodiscard]] std::string serialize_terminate();

// A Parse of the unnamed statement without parameter types.
[[nodiscard]] std::string serialize_parse(std::string_view text);

}  // namespace helios::pgwire
