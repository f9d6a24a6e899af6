// SPDX-License-Identifier: Apache-2.0
#include "admin/target.hpp"

#include <algorithm>
#include <optional>

namespace helios::admin {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// The byte that the "%XX" at the front of `text` stands for.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  const auto high = hex_digit(text[1]);
  const auto low = hex_digit(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:/").contains(c);
}

}  // namespace

TargetView split_target(std::string_view target) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

base::Result<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '%') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto byte = escaped_byte(text);
    if (!byte)
      return base::fail(base::Errc::invalid, "bad percent-encoding: % needs two hex digits");
    result += *byte;
    text.remove_prefix(3);
  }
  return result;
}

std::string percent_encode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : bytes) {
    if (stands_for_itself(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += kDigits[byte >> 4U];
    result += kDigits[byte & 15U];
  }
  return result;
}

base::Result<Parameters> parse_query(std::string_view query) {
  Parameters result;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals));
    auto value = percent_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    if (!name || !value)
      return base::fail(base::Errc::invalid, name ? value.error().message : name.error().message);
    if (std::ranges::find(result, *name, &Parameters::value_type::first) != result.end())
      return base::fail(base::Errc::invalid, "repeated query parameter: " + *name);
    result.emplace_back(std::move(*name), std::move(*value));
  }
  return result;
}

}  // namespace helios::admin
