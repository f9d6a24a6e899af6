// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/target.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace helios::cli {

// Bytes on a line of its own, of which nothing else on the line, and no terminal, can be misled: percent-encoded
// where they are not UTF-8 or have control characters.
[[nodiscard]] inline std::string on_one_line(std::string_view bytes) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return base::is_valid_utf8(bytes) && std::ranges::none_of(bytes, is_control)
             ? std::string(bytes)
             : admin::percent_encode(bytes);
}

}  // namespace helios::cli
