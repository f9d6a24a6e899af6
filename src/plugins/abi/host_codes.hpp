// SPDX-License-Identifier: Apache-2.0
#pragma once

// What imports return when they do not succeed, as abi/helios_abi2.h has it. Never changes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace helios::plugins {

inline constexpr std::int32_t kOk = 0;
inline constexpr std::int32_t kMissing = -1;
inline constexpr std::int32_t kTooSmall = -2;
inline constexpr std::int32_t kUnmet = -3;
inline constexpr std::int32_t kLimit = -4;
inline constexpr std::int32_t kInvalid = -5;
inline constexpr std::int32_t kWrongType = -6;
inline constexpr std::int32_t kOverflow = -7;

// Copies to the guest's buffer: the length, or kTooSmall.
[[nodiscard]] inline std::int32_t copy_out(std::string_view bytes, std::span<char> out) {
  if (bytes.size() > out.size() || bytes.size() > INT32_MAX) return kTooSmall;
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return static_cast<std::int32_t>(bytes.size());
}

// Copies what of `bytes` stands from `from` on, as far as there is room: how many.
[[nodiscard]] inline std::int32_t copy_part(std::string_view bytes, std::uint32_t from,
                                            std::span<char> out) {
  const std::string_view rest = bytes.substr(std::min<std::size_t>(from, bytes.size()));
  return copy_out(rest.substr(0, std::min<std::size_t>(out.size(), INT32_MAX)), out);
}

}  // namespace helios::plugins
