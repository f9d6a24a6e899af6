// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"

#include <cstdint>

namespace helios::base {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    // Three bytes are four digits; of a shorter rest, only the digits that it reaches into.
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    for (std::size_t digit = 0; digit < 4; ++digit)
      result += digit <= group.size() ? kAlphabet[bits >> (18U - 6U * digit) & 63U] : '=';
  }
  return result;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto bad = [] { return fail(Errc::invalid, "bad base64"); };
  if (text.size() % 4 != 0) return bad();
  while (text.ends_with('=') && text.size() % 4 != 2) text.remove_suffix(1);
  std::string result;
  std::uint32_t bits = 0;
  std::uint32_t pending = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return bad();
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    result += static_cast<char>(bits >> pending & 255U);
  }
  if ((bits & ((1U << pending) - 1)) != 0) return bad();
  return result;
}

}  // namespace helios::base
