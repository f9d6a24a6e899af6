// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <algorithm>
#include <cstdint>

namespace helios::base {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_lower(char a, char b) { return lower(a) == lower(b); }

constexpr char kHexDigits[] = "0123456789abcdef";

void append_hex_byte(std::string& out, char c) {
  const auto raw = static_cast<unsigned char>(c);
  out.push_back(kHexDigits[raw >> 4U]);
  out.push_back(kHexDigits[raw & 0xFU]);
}

// Length of the UTF-8 sequence that starts with `lead`; 0 for a byte that cannot start one.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// RFC 3629 table 3-7: the second byte of some sequences has a narrower range, which is what rules
// out overlong forms, surrogates and values above U+10FFFF.
bool is_valid_second(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF;
    case 0xED: return second >= 0x80 && second <= 0x9F;
    case 0xF0: return second >= 0x90 && second <= 0xBF;
    case 0xF4: return second >= 0x80 && second <= 0x8F;
    default: return second >= 0x80 && second <= 0xBF;
  }
}

bool is_valid_sequence(std::string_view sequence) {
  const auto at = [sequence](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() > 1 && !is_valid_second(at(0), at(1))) return false;
  for (std::size_t i = 2; i < sequence.size(); ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return false;
  }
  return true;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, equal_lower);
}

std::size_t find_ignore_case(std::string_view haystack, std::string_view needle) {
  const auto found = std::ranges::search(haystack, needle, equal_lower);
  if (found.empty() && !needle.empty()) return std::string_view::npos;
  return static_cast<std::size_t>(found.begin() - haystack.begin());
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return false;
    if (!is_valid_sequence(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string escape_for_log(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (const char c : text.substr(0, max_bytes)) {
    if (c >= 0x20 && c < 0x7F && c != '\\') {
      out.push_back(c);
    } else {
      out += "\\x";
      append_hex_byte(out, c);
    }
  }
  if (text.size() > max_bytes) out += "...";
  return out;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string one_line(std::string_view lines) {
  std::string out;
  for (const char c : lines) {
    if (c == '\n') {
      out += "; ";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_hex_byte(out, c);
  return out;
}

}  // namespace helios::base
