// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/spelling.hpp"

#include "base/text.hpp"
#include "sql/quote.hpp"

#include <array>
#include <cctype>

namespace helios::fuzz {

std::string Spelling::gap() {
  static constexpr std::array<const char*, 6> kGaps = {" ",        "\n",        "\t\f ",
                                                       " /*;'*/ ", " --;'\"\n", " /* /* */ $$ */ "};
  return kGaps[input_.take_below(kGaps.size())];
}

std::string Spelling::identifier(std::string_view word) {
  std::string text(word);
  switch (input_.take_below(4)) {
    case 0: return text;
    case 1: return "\"" + text + "\"";
    case 2:
      for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      return text;
    default:
      // Names of settings are compared without regard to case, quoted or not.
      text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
      return "\"" + text + "\"";
  }
}

std::string Spelling::name(std::string_view name) {
  const std::size_t dot = name.find('.');
  const std::string first = identifier(name.substr(0, dot));
  const char* const between = input_.take_below(4) == 3 ? " /**/ . " : ".";
  return first + between + identifier(name.substr(dot + 1));
}

std::string Spelling::literal(std::string_view value) {
  const std::size_t half = value.size() / 2;
  switch (input_.take_below(6)) {
    case 0: return plain(value);
    case 1: return sql::quote_literal(value);
    case 2: return escaped(value);
    case 3: return value.contains('$') ? plain(value) : dollar_quoted(value);
    case 4: return conforming_ ? unicode_escaped(value) : plain(value);
    default: return plain(value.substr(0, half)) + " \n " + plain(value.substr(half));
  }
}

std::string Spelling::plain(std::string_view value) const {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || (c == '\\' && !conforming_)) text.push_back(c);
    text.push_back(c);
  }
  return text + "'";
}

// Only ASCII bytes are escaped: what others mean depends on the encoding.
std::string Spelling::escaped(std::string_view value) {
  std::string text = "e'";
  for (const char c : value) {
    const bool is_ascii = static_cast<unsigned char>(c) < 0x80;
    if (!is_ascii || (std::isalnum(static_cast<unsigned char>(c)) != 0 && c != 'x')) {
      text.push_back(c);
    } else {
      text += "\\x" + base::to_hex(std::string_view(&c, 1));
    }
  }
  return text + "'";
}

std::string Spelling::dollar_quoted(std::string_view value) const {
  return "$q1$" + std::string(value) + "$q1$";
}

std::string Spelling::unicode_escaped(std::string_view value) const {
  std::string text = "U&'";
  for (const char c : value) {
    if (c == '\'' || c == '\\' || c == 'u') {
      text += "\\00" + base::to_hex(std::string_view(&c, 1));
    } else {
      text.push_back(c);
    }
  }
  return text + "'";
}

}  // namespace helios::fuzz
