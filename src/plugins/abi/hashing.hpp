// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 and HMAC-SHA-256 for guests, in hexadecimal digits.

#include "plugins/abi/host_calls.hpp"
#include "plugins/hmac.hpp"
#include "plugins/sha256.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace helios::plugins {

// Writes the digest of `bytes` and returns its 64 digits; nullopt when the attempt's time is over, which long input
// finds out on the way.
[[nodiscard]] inline std::optional<std::int32_t> hash_to(HostCalls& calls, std::string_view bytes,
                                                         std::span<char, kSha256HexBytes> out) {
  if (bytes.size() <= kSha256PieceBytes) {
    sha256_hex(bytes, out);
  } else if (!sha256_hex_while([&] { return !calls.is_out_of_time(); }, bytes, out)) {
    calls.stop(HostCalls::Stop::out_of_time);
    return std::nullopt;
  }
  return static_cast<std::int32_t>(kSha256HexBytes);
}

// The same of its HMAC.
[[nodiscard]] inline std::optional<std::int32_t> hmac_to(HostCalls& calls, const HmacKey& key,
                                                         std::string_view bytes,
                                                         std::span<char, kSha256HexBytes> out) {
  if (!hmac_sha256_hex_while([&] { return !calls.is_out_of_time(); }, key, bytes, out)) {
    calls.stop(HostCalls::Stop::out_of_time);
    return std::nullopt;
  }
  return static_cast<std::int32_t>(kSha256HexBytes);
}

}  // namespace helios::plugins
