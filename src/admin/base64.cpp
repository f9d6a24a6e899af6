// SPDX-License-Identifier: Apache-2.0
#include "admin/base64.hpp"

#include <cstdint>

namespace helios::admin {

std::string base64_encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

}  // namespace helios::admin
