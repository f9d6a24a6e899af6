// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/sha256.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace helios::plugins {

using base::kSha256HexBytes;

// The SHA-256 digest of `bytes` as lower-case hexadecimal digits.
void sha256_hex(std::string_view bytes, std::span<char, kSha256HexBytes> out);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// The same, in pieces of kSha256PieceBytes. Asks `go_on` before each but the first, and returns false,
// with `out` untouched, when it says no.
inline constexpr std::size_t kSha256PieceBytes = 64 * 1024;
[[nodiscard]] bool sha256_hex_while(const std::function<bool()>& go_on, std::string_view bytes,
                                    std::span<char, kSha256HexBytes> out);

}  // namespace helios::plugins
