// SPDX-License-Identifier: Apache-2.0
#include "sql/raw_tokens.hpp"

#include <algorithm>

namespace helios::sql {

namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool begins_word(char byte) { return is_word_byte(byte) && !is_digit(byte) && byte != '$'; }

}  // namespace

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, lower_ascii);
}

std::size_t dollar_tag_length(std::string_view text) {
  if (!text.starts_with('$')) return 0;
  std::size_t end = 1;
  if (end < text.size() && begins_word(text[end]))
    while (end < text.size() && is_word_byte(text[end]) && text[end] != '$') ++end;
  return end < text.size() && text[end] == '$' ? end + 1 : 0;
}

RawToken RawScanner::take(RawToken::Kind kind, std::size_t end) {
  const RawToken token{
      .kind = kind, .begin = at_, .end = end, .inner_begin = at_, .inner_end = end};
  at_ = end;
  return token;
}

void RawScanner::skip_blanks() {
  for (; at_ < text_.size() && is_blank(text_[at_]); ++at_)
    if (text_[at_] == '\n' || text_[at_] == '\r') has_newline_ = true;
}

RawToken RawScanner::next() {
  skip_blanks();
  if (at_ >= text_.size()) return take(RawToken::Kind::end, at_);
  const RawToken token = read_token();
  const bool is_string = token.kind == RawToken::Kind::string && !token.is_dollar_quoted;
  if (is_string) has_newline_ = false;
  const bool is_line_comment = token.kind == RawToken::Kind::comment && text_[token.begin] == '-';
  may_continue_ = is_string || (may_continue_ && is_line_comment);
  return token;
}

RawToken RawScanner::read_token() {
  const char byte = text_[at_];
  if (byte == '\'') return read_plain_string();
  if (byte == '"') return read_quoted(RawToken::Kind::quoted_name, 0, false);
  if (byte == '-' && at(at_ + 1) == '-') return read_line_comment();
  if (byte == '/' && at(at_ + 1) == '*') return read_block_comment();
  if (byte == '$') return read_dollar();
  if (is_word_byte(byte)) return read_word();
  return take(RawToken::Kind::symbol, at_ + 1);
}

RawToken RawScanner::read_word() {
  const char first = lower_ascii(text_[at_]);
  const bool has_prefix = at(at_ + 1) == '\'' && std::string_view("ebxn").contains(first);
  if (has_prefix)
    return read_quoted(RawToken::Kind::string, 1,
                       first == 'e' || (first == 'n' && !has_plain_backslashes_));
  if (first == 'u' && at(at_ + 1) == '&' && at(at_ + 2) == '\'')
    return read_quoted(RawToken::Kind::string, 2, false);
  std::size_t end = at_;
  while (end < text_.size() && is_word_byte(text_[end])) ++end;
  return take(is_digit(first) ? RawToken::Kind::number : RawToken::Kind::word, end);
}

RawToken RawScanner::read_dollar() {
  const std::size_t tag_length = dollar_tag_length(text_.substr(at_));
  if (tag_length == 0) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    return take(end == at_ + 1 ? RawToken::Kind::symbol : RawToken::Kind::number, end);
  }
  // Linear although it may be long: a tag has a $ only at its ends.
  const std::size_t inner = at_ + tag_length;
  const std::size_t close = text_.find(text_.substr(at_, tag_length), inner);
  const bool is_closed = close != std::string_view::npos;
  RawToken token = take(RawToken::Kind::string, is_closed ? close + tag_length : text_.size());
  token.inner_begin = inner;
  token.inner_end = is_closed ? close : text_.size();
  token.is_dollar_quoted = true;
  return token;
}

RawToken RawScanner::read_plain_string() {
  const bool continues = may_continue_ && has_newline_;
  return read_quoted(RawToken::Kind::string, 0, continues ? has_escapes_ : !has_plain_backslashes_);
}

RawToken RawScanner::read_quoted(RawToken::Kind kind, std::size_t prefix, bool has_escapes) {
  const std::size_t inner = at_ + prefix + 1;
  const char quote = text_[inner - 1];
  if (kind == RawToken::Kind::string) has_escapes_ = has_escapes;
  std::size_t end = inner;
  while (end < text_.size()) {
    if (text_[end] == quote) {
      if (at(end + 1) != quote) break;
      ++end;
    } else if (has_escapes && text_[end] == '\\') {
      ++end;
    }
    ++end;
  }
  end = std::min(end, text_.size());
  RawToken token = take(kind, std::min(end + 1, text_.size()));
  token.inner_begin = inner;
  token.inner_end = end;
  return token;
}

RawToken RawScanner::read_line_comment() {
  const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
  RawToken token = take(RawToken::Kind::comment, end);
  token.inner_begin += 2;
  return token;
}

// They nest.
RawToken RawScanner::read_block_comment() {
  std::size_t depth = 0;
  std::size_t end = at_;
  do {
    end = std::min(text_.find_first_of("/*", end), text_.size() - 1);
    if (text_[end] == '/' && at(end + 1) == '*') {
      ++depth;
      ++end;
    } else if (text_[end] == '*' && at(end + 1) == '/') {
      --depth;
      ++end;
    }
    ++end;
  } while (depth > 0 && end < text_.size());
  end = std::min(end, text_.size());
  RawToken token = take(RawToken::Kind::comment, end);
  token.inner_begin += 2;
  token.inner_end = depth == 0 ? end - 2 : end;
  return token;
}

}  // namespace helios::sql
