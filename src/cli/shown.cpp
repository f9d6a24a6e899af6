// SPDX-License-Identifier: Apache-2.0
#include "cli/shown.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace helios::cli {
namespace {

std::string hex(std::uint32_t number, std::size_t digits) {
  std::array<char, 8> buffer{};
  const auto [end, error] = std::to_chars(buffer.begin(), buffer.end(), number, 16);
  std::string text(buffer.begin(), end);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

// How many bytes the character at the beginning has; 0: it is none of UTF-8.
std::size_t character_bytes(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const std::size_t count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return base::is_valid_utf8(bytes.substr(0, count)) && count <= bytes.size() ? count : 0;
}

std::uint32_t code_point(std::string_view character) {
  const auto at = [character](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0);
  std::uint32_t point = at(0) & (0xFFU >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) point = point << 6U | (at(i) & 0x3FU);
  return point;
}

// Line breaks of Unicode, and what turns the direction of writing or cannot be seen. C1 controls steer terminals.
bool is_treacherous(std::uint32_t point) {
  return (point >= 0x7F && point < 0xA0) || point == 0x061C ||
         (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF;
}

std::string shown_ascii(char c) {
  if (c == '\\') return "\\\\";
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) return {c};
  return "\\x" + hex(static_cast<unsigned char>(c), 2);
}

}  // namespace

std::string shown(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t count = character_bytes(bytes);
    if (count == 0) {
      out += "\\x" + hex(static_cast<unsigned char>(bytes[0]), 2);
    } else if (count == 1) {
      out += shown_ascii(bytes[0]);
    } else if (const std::uint32_t point = code_point(bytes.substr(0, count));
               is_treacherous(point)) {
      out += "\\u{" + hex(point, 4) + "}";
    } else {
      out += bytes.substr(0, count);
    }
    bytes.remove_prefix(count == 0 ? 1 : count);
  }
  return out;
}

std::string shown_lines(std::string_view bytes, std::string_view indent) {
  std::string out;
  for (const std::string& line : base::split_lines(bytes)) {
    out += indent;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t tab = std::min(line.find('\t', from), line.size());
      out += shown(std::string_view(line).substr(from, tab - from));
      if (tab < line.size()) out += '\t';
      from = tab + 1;
    }
    out += '\n';
  }
  return out;
}

}  // namespace helios::cli
