// SPDX-License-Identifier: Apache-2.0
#include "hooks/request_id.hpp"

namespace helios::hooks {

namespace {

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finisher: a bijection
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

std::uint64_t hash(std::string_view text, std::uint64_t seed) {  // FNV-1a
  std::uint64_t value = 0xCBF29CE484222325ULL ^ seed;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(value);
}

}  // namespace

std::array<char, kUuidChars> request_id(std::string_view session_id, std::uint64_t statement_id) {
  std::array<std::uint64_t, 2> half{hash(session_id, 1) ^ mix(statement_id),
                                    hash(session_id, 2) ^ mix(~statement_id)};
  half[0] = (half[0] & ~0xF000ULL) | 0x4000;           // version 4
  half[1] = (half[1] & ~(3ULL << 62)) | (2ULL << 62);  // variant of RFC 4122
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, kUuidChars> out{};
  std::size_t at = 0;
  for (unsigned digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) out[at++] = '-';
    out[at++] = kDigits[(half[digit / 16] >> (60 - 4 * (digit % 16))) & 15];
  }
  return out;
}

}  // namespace helios::hooks
