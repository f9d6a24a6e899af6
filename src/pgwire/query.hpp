// SPDX-License-Identifier: Apache-2.0
#pragma once

// Query (F): 'Q', Int32 length, String text. Terminate (F): 'X', Int32 4.

#include <optional>
#include <string>
#include <string_view>

namespace helios::pgwire {

// The text, a view into `body`; nullopt when it is not exactly one terminated string.
[[nodiscard]] std::optional<std::string_view> parse_query(std::string_view body);
[[nodiscard]] std::string serialize_query(std::string_view text);

[[nodiscard]] std::string serialize_terminate();
// Ends COPY data: the server fails the COPY, and says `reason`.
[[nodiscard]] std::string serialize_copy_fail(std::string_view reason);

}  // namespace helios::pgwire
