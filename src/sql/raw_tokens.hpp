// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tokens of any bytes, whether they parse or not: words, strings, comments, and single symbols. Where strings and comments
// begin and end is read as PostgreSQL's scanner does; what it would refuse is read somehow, and to its end. One pass, no
// allocation, no recursion; each byte is looked at a bounded number of times. For texts that parse, tokens.hpp has PostgreSQL's
// own scanner.

#include <array>
#include <cstddef>
#include <string_view>

namespace helios::sql {

struct RawToken {
  enum class Kind {
    end,
    word,         // a keyword or a name without quotes
    quoted_name,  // "..."
    string,       // '...', also behind E, N, B, X and U&, and $tag$...$tag$
    number,       // also a parameter, $1
    comment,
    symbol,  // any other byte
  };
  Kind kind = Kind::end;
  std::size_t begin = 0;  // bytes [begin, end) of the text
  std::size_t end = 0;
  // Of a quoted name, a string and a comment: what stands between its marks. Up to the end of a text that does not close it.
  std::size_t inner_begin = 0;
  std::size_t inner_end = 0;
  bool is_dollar_quoted = false;
};

// Bytes that names are made of; those beyond ASCII are. By a table, since texts of megabytes are read within a hook's time.
inline constexpr auto kWordBytes = [] {
  std::array<bool, 256> is_word{};
  for (std::size_t byte = 0; byte < is_word.size(); ++byte)
    is_word[byte] = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' || byte >= 0x80;
  return is_word;
}();
[[nodiscard]] inline bool is_word_byte(char byte) {
  return kWordBytes[static_cast<unsigned char>(byte)];
}
// Blanks, and control bytes: a NUL stands for no token.
[[nodiscard]] inline bool is_blank(char byte) { return static_cast<unsigned char>(byte) <= ' '; }
[[nodiscard]] inline char lower_ascii(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}
// Is it `lower`, in whatever case?
[[nodiscard]] bool equals_ignoring_case(std::string_view text, std::string_view lower);
// The length of the $tag$ that `text` begins with; 0 when it does not.
[[nodiscard]] std::size_t dollar_tag_length(std::string_view text);

// Lifetime: `text` outlives it. Thread rule: one thread.
class RawScanner {
 public:
  // `text`: its encoding is ASCII-safe (see ReadingRules); of another one, a string may be read to a wrong end.
  RawScanner(std::string_view text, bool standard_conforming_strings)
      : text_(text), has_plain_backslashes_(standard_conforming_strings) {}

  // The next token; Kind::end when there are no more.
  [[nodiscard]] RawToken next();

 private:
  [[nodiscard]] char at(std::size_t place) const {
    return place < text_.size() ? text_[place] : '\0';
  }
  void skip_blanks();
  [[nodiscard]] RawToken read_token();
  [[nodiscard]] RawToken read_word();
  [[nodiscard]] RawToken read_dollar();
  // A string or a quoted name whose first quote is `prefix` bytes behind at_.
  [[nodiscard]] RawToken read_quoted(RawToken::Kind kind, std::size_t prefix, bool has_escapes);
  [[nodiscard]] RawToken read_plain_string();
  [[nodiscard]] RawToken read_line_comment();
  [[nodiscard]] RawToken read_block_comment();
  // A token from at_ to `end`, and behind it.
  RawToken take(RawToken::Kind kind, std::size_t end);

  std::string_view text_;
  bool has_plain_backslashes_;  // in '...' a backslash is a byte as any other
  std::size_t at_ = 0;
  // A string that goes on in the next line keeps the rule of its beginning.
  bool may_continue_ = false;
  bool has_newline_ = false;  // since that string
  bool has_escapes_ = false;  // of that string
};

}  // namespace helios::sql
