// SPDX-License-Identifier: Apache-2.0
#pragma once

// HMAC-SHA-256 (RFC 2104): a digest on which nobody can try guesses who does not have the key.

#include "plugins/sha256.hpp"

#include <array>
#include <functional>
#include <span>
#include <string_view>

namespace helios::plugins {

using HmacKey = std::array<unsigned char, 32>;

// Writes the HMAC of `bytes` as lower-case hexadecimal digits. `go_on` is asked as sha256_hex_while() does, and false is what
// that returns.
[[nodiscard]] bool hmac_sha256_hex_while(const std::function<bool()>& go_on, const HmacKey& key,
                                         std::string_view bytes,
                                         std::span<char, kSha256HexBytes> out);

}  // namespace helios::plugins
