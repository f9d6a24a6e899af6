// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace helios::plugins {

inline constexpr std::size_t kMaxClientTextBytes = 4096;

// What a plugin says to a client, fit for an ErrorResponse: of bounded length, cut at a character with
// "..." behind it, and without NUL bytes, because it travels as a C string. `text` is valid UTF-8.
[[nodiscard]] std::string client_text(std::string_view text);

}  // namespace helios::plugins
