// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace helios::plugins {

inline constexpr std::size_t kSha256HexBytes = 64;

// The SHA-256 digest of `bytes` as lower-case hexadecimal digits.
void sha256_hex(std::string_view bytes, std::span<char, kSha256HexBytes> out);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace helios::plugins
