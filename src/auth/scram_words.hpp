// SPDX-License-Identifier: Apache-2.0
#pragma once

// The grammar of SCRAM messages (RFC 5802, section 7): words with commas between them, most of them `letter=value`.

#include <algorithm>
#include <optional>
#include <string_view>

namespace helios::auth {

// Takes the next word off `rest`, and the comma behind it. nullopt: no comma comes.
inline std::optional<std::string_view> take_word(std::string_view& rest) {
  const auto at = rest.find(',');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view word = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return word;
}

// Takes `<letter>=<value>` off `rest`, the value alone; a comma behind it too. nullopt: something else stands there.
inline std::optional<std::string_view> take_attribute(std::string_view& rest, char letter) {
  if (rest.size() < 2 || rest[0] != letter || rest[1] != '=') return std::nullopt;
  const auto end = std::min(rest.find(','), rest.size());
  const std::string_view value = rest.substr(2, end - 2);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

// What a nonce may be made of.
inline bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != ','; });
}

}  // namespace helios::auth
