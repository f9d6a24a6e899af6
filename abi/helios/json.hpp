// SPDX-License-Identifier: Apache-2.0
#pragma once

// Just enough JSON: a document is checked as a whole once, then looked into piece by piece. Nothing
// is copied until a string is asked for. Safe on any input: nesting deeper than kMaxDepth is not
// accepted, and nothing is looked at twice while checking.
//
// A Json is a view: the text it came from must stay.

#include "helios/numbers.hpp"
#include "helios/text.hpp"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

namespace detail {

// -1: not a hexadecimal digit.
inline int hex_value(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

// Walks over JSON text; each function moves behind what it names, or answers false.
class JsonScanner {
 public:
  static constexpr int kMaxDepth = 32;

  explicit JsonScanner(StringView text) : text_(text) {}

  [[nodiscard]] size_t position() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

  void space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  bool byte(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  bool value(int depth = 0) {
    if (depth > kMaxDepth) return false;
    switch (peek()) {
      case '{': return container('}', true, depth);
      case '[': return container(']', false, depth);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  bool string() {
    if (!byte('"')) return false;
    while (!at_end()) {
      const char next = text_[at_++];
      if (next == '"') return true;
      if (static_cast<unsigned char>(next) < 0x20) return false;
      if (next == '\\' && !escape()) return false;
    }
    return false;
  }

 private:
  bool container(char close, bool has_names, int depth) {
    ++at_;
    space();
    if (byte(close)) return true;
    while (true) {
      if (has_names) {
        if (!string()) return false;
        space();
        if (!byte(':')) return false;
        space();
      }
      if (!value(depth + 1)) return false;
      space();
      if (byte(close)) return true;
      if (!byte(',')) return false;
      space();
    }
  }

  bool escape() {
    const char kind = peek();
    ++at_;
    switch (kind) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': return true;
      case 'u': break;
      default: return false;
    }
    for (int i = 0; i < 4; ++i) {
      if (hex_value(peek()) < 0) return false;
      ++at_;
    }
    return true;
  }

  bool number() {
    const size_t length = number_length(text_.part(at_));
    at_ += length;
    return length > 0;
  }

  bool word(StringView wanted) {
    if (!text_.part(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  StringView text_;
  size_t at_ = 0;
};

inline void append_utf8(String& out, uint32_t point) {
  if (point < 0x80) {
    out.append(static_cast<char>(point));
    return;
  }
  int more = point < 0x800 ? 1 : (point < 0x10000 ? 2 : 3);
  const uint32_t mark = more == 1 ? 0xc0 : (more == 2 ? 0xe0 : 0xf0);
  out.append(static_cast<char>(mark | point >> (6 * more)));
  while (more-- > 0) out.append(static_cast<char>(0x80 | (point >> (6 * more) & 0x3f)));
}

// The code unit of the \uXXXX that starts at `at`; 0x10000 = there is none.
inline uint32_t code_unit_at(StringView text, size_t at) {
  if (!text.part(at).starts_with("\\u")) return 0x10000;
  uint32_t unit = 0;
  for (size_t i = at + 2; i < at + 6; ++i)
    unit = unit << 4 | static_cast<uint32_t>(hex_value(text[i]));
  return unit;
}

// The code point of the \uXXXX at `at` and how long it is; half of a pair alone is U+FFFD.
inline size_t append_code_point(String& out, StringView text, size_t at) {
  const uint32_t first = code_unit_at(text, at);
  if (first < 0xd800 || first > 0xdfff) {
    append_utf8(out, first);
    return 6;
  }
  const uint32_t second = code_unit_at(text, at + 6);
  if (first <= 0xdbff && second >= 0xdc00 && second <= 0xdfff) {
    append_utf8(out, 0x10000 + ((first & 0x3ff) << 10 | (second & 0x3ff)));
    return 12;
  }
  append_utf8(out, 0xfffd);
  return 6;
}

// The contents of a checked string, without its quotes.
inline String unescaped(StringView text) {
  String out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out.append(text[at++]);
      continue;
    }
    size_t length = 2;
    switch (text[at + 1]) {
      case 'b': out.append('\b'); break;
      case 'f': out.append('\f'); break;
      case 'n': out.append('\n'); break;
      case 'r': out.append('\r'); break;
      case 't': out.append('\t'); break;
      case 'u': length = append_code_point(out, text, at); break;
      default: out.append(text[at + 1]);
    }
    at += length;
  }
  return out;
}

}  // namespace detail

class Json {
 public:
  enum class Kind { null, boolean, number, string, array, object };

  Json() : text_("null") {}

  // Nothing unless `text` is one whole JSON value.
  [[nodiscard]] static Optional<Json> parse(StringView text) {
    detail::JsonScanner scanner(text);
    scanner.space();
    const size_t begin = scanner.position();
    if (!scanner.value()) return {};
    const size_t end = scanner.position();
    scanner.space();
    if (!scanner.at_end()) return {};
    return Json(text.part(begin, end - begin));
  }

  [[nodiscard]] Kind kind() const {
    switch (text_[0]) {
      case 'n': return Kind::null;
      case 't':
      case 'f': return Kind::boolean;
      case '"': return Kind::string;
      case '[': return Kind::array;
      case '{': return Kind::object;
      default: return Kind::number;
    }
  }

  // The value itself; nothing when it is of another kind.
  [[nodiscard]] Optional<bool> boolean() const {
    if (kind() != Kind::boolean) return {};
    return text_[0] == 't';
  }
  [[nodiscard]] Optional<double> number() const {
    if (kind() != Kind::number) return {};
    return parse_double(text_);
  }
  // A number without fraction and exponent that fits.
  [[nodiscard]] Optional<int64_t> integer() const {
    if (kind() != Kind::number) return {};
    return parse_int(text_);
  }
  [[nodiscard]] Optional<String> string() const {
    if (kind() != Kind::string) return {};
    return detail::unescaped(text_.part(1, text_.size() - 2));
  }

  // The member of an object, the last one where a name is there twice.
  [[nodiscard]] Optional<Json> member(StringView name) const {
    Optional<Json> found;
    each([&](StringView raw_name, Json value) {
      if (is_name(raw_name, name)) found = value;
      return true;
    });
    return found;
  }

  // Calls visit(name, value) for each member of an object, as often as it is there, until it answers false.
  template <class Visit>
  void each_member(Visit visit) const {
    if (kind() != Kind::object) return;
    each([&](StringView raw_name, const Json& value) {
      for (const char byte : raw_name)
        if (byte == '\\') return visit(detail::unescaped(raw_name).view(), value);
      return visit(raw_name, value);
    });
  }

  // The element of an array.
  [[nodiscard]] Optional<Json> element(size_t index) const {
    if (kind() != Kind::array) return {};
    Optional<Json> found;
    size_t at = 0;
    each([&](StringView, Json value) {
      if (at == index) found = value;
      return at++ != index;
    });
    return found;
  }

  // The JSON text of this value.
  [[nodiscard]] StringView text() const { return text_; }

 private:
  explicit Json(StringView text) : text_(text) {}

  static bool is_name(StringView raw, StringView name) {
    for (const char byte : raw)
      if (byte == '\\') return detail::unescaped(raw) == name;
    return raw == name;
  }

  // Calls visit(raw name, value) for each element until it answers false. The text was checked.
  template <class Visit>
  void each(Visit visit) const {
    const bool is_object = kind() == Kind::object;
    if (!is_object && kind() != Kind::array) return;
    detail::JsonScanner scanner(text_);
    scanner.byte(text_[0]);
    scanner.space();
    while (scanner.peek() != ']' && scanner.peek() != '}') {
      StringView name;
      if (is_object) {
        const size_t begin = scanner.position();
        scanner.string();
        name = text_.part(begin + 1, scanner.position() - begin - 2);
        scanner.space();
        scanner.byte(':');
        scanner.space();
      }
      const size_t begin = scanner.position();
      scanner.value();
      if (!visit(name, Json(text_.part(begin, scanner.position() - begin)))) return;
      scanner.space();
      scanner.byte(',');
      scanner.space();
    }
  }

  StringView text_;
};

namespace detail {

// Whether one of the eight bytes has to be written otherwise in a JSON string.
inline bool has_escaped_byte(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const auto zero_byte = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighBits; };
  const uint64_t controls = (word - 0x20 * kOnes) & ~word & kHighBits;
  return (controls | zero_byte(word ^ '"' * kOnes) | zero_byte(word ^ '\\' * kOnes)) != 0;
}

inline bool is_escaped(char byte) {
  return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20;
}

// How many bytes from `begin` on stand in a JSON string as they are.
inline size_t plain_bytes(StringView text, size_t begin) {
  size_t at = begin;
  for (; text.size() - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
    uint64_t word;
    __builtin_memcpy(&word, text.data() + at, sizeof word);
    if (has_escaped_byte(word)) break;
  }
  while (at < text.size() && !is_escaped(text[at])) ++at;
  return at - begin;
}

inline void append_escaped(String& out, char byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  const unsigned char code = static_cast<unsigned char>(byte);
  out.append(code < 0x20 ? StringView("\\u00") : StringView("\\"));
  if (code < 0x20) out.append(kHex[code >> 4]);
  out.append(code < 0x20 ? kHex[code & 15] : byte);
}

}  // namespace detail

// Appends the text as a JSON string, quotes included. Bytes from 0x80 on are passed as they are.
inline void append_json(String& out, StringView text) {
  out.reserve(out.size() + text.size() + 2);
  out.append('"');
  for (size_t at = 0; at < text.size();) {
    const size_t plain = detail::plain_bytes(text, at);
    out.append(text.part(at, plain));
    at += plain;
    if (at < text.size()) detail::append_escaped(out, text[at++]);
  }
  out.append('"');
}

[[nodiscard]] inline String json_string(StringView text) {
  String out;
  append_json(out, text);
  return out;
}

}  // namespace helios::plugin
