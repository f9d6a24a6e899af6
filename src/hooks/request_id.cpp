// SPDX-License-Identifier: Apache-2.0
#include "hooks/request_id.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace helios::hooks {

namespace {

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finisher: a bijection
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

// Two of FNV-1a with different beginnings.
std::pair<std::uint64_t, std::uint64_t> hash(std::string_view text) {
  constexpr std::uint64_t kBasis = 0xCBF29CE484222325ULL;
  constexpr std::uint64_t kPrime = 0x100000001B3ULL;
  std::pair<std::uint64_t, std::uint64_t> value{kBasis ^ 1, kBasis ^ 2};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    value = {(value.first ^ byte) * kPrime, (value.second ^ byte) * kPrime};
  }
  return {mix(value.first), mix(value.second)};
}

// Spreads the eight half bytes of `number` over the bytes of the result, the highest first.
std::uint64_t half_bytes(std::uint32_t number) {
  std::uint64_t value = number;
  value = (value | value << 16) & 0x0000FFFF0000FFFFULL;
  value = (value | value << 8) & 0x00FF00FF00FF00FFULL;
  value = (value | value << 4) & 0x0F0F0F0F0F0F0F0FULL;
  return __builtin_bswap64(value);
}

// Eight lower-case hexadecimal digits, all at once.
void write_hex(char* out, std::uint32_t number) {
  const std::uint64_t halves = half_bytes(number);
  const std::uint64_t is_letter = (halves + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL;
  const std::uint64_t digits = halves + 0x3030303030303030ULL + is_letter * ('a' - '0' - 10);
  std::memcpy(out, &digits, sizeof digits);
}

}  // namespace

std::array<char, kUuidChars> request_id(std::string_view session_id, std::uint64_t statement_id) {
  const auto [first, second] = hash(session_id);
  std::array<std::uint64_t, 2> half{first ^ mix(statement_id), second ^ mix(~statement_id)};
  half[0] = (half[0] & ~0xF000ULL) | 0x4000;           // version 4
  half[1] = (half[1] & ~(3ULL << 62)) | (2ULL << 62);  // variant of RFC 4122
  std::array<char, 32> digits{};
  for (std::size_t i = 0; i < 4; ++i)
    write_hex(&digits[8 * i], static_cast<std::uint32_t>(half[i / 2] >> (i % 2 == 0 ? 32 : 0)));
  std::array<char, kUuidChars> out{};
  std::size_t at = 0;
  std::size_t from = 0;
  for (const std::size_t length : {8, 4, 4, 4, 12}) {
    if (at != 0) out[at++] = '-';
    std::copy_n(&digits[from], length, &out[at]);
    at += length;
    from += length;
  }
  return out;
}

}  // namespace helios::hooks
