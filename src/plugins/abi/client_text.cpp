// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/client_text.hpp"

#include <algorithm>

namespace helios::plugins {

std::string client_text(std::string_view text) {
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
  };
  std::string out;
  if (text.size() <= kMaxClientTextBytes) {
    out = text;
  } else {
    std::size_t end = kMaxClientTextBytes;
    while (end > 0 && is_continuation(text[end])) --end;
    (out = text.substr(0, end)) += "...";
  }
  std::ranges::replace(out, '\0', ' ');
  return out;
}

}  // namespace helios::plugins
