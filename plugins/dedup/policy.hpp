// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which texts dedup looks at, without the host.

#include "helios/plugin.hpp"

namespace helios::dedup {

using plugin::String;
using plugin::StringView;

namespace words {

inline bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
inline char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}
inline bool is_letter(char byte) { return lower(byte) >= 'a' && lower(byte) <= 'z'; }

// Where a comment that begins at `at` ends; `at` when none does. Those of the second kind nest.
inline size_t behind_comment(StringView text, size_t at) {
  const auto is_at = [text](size_t begin, char first, char second) {
    return begin + 1 < text.size() && text[begin] == first && text[begin + 1] == second;
  };
  if (is_at(at, '-', '-')) {
    while (at < text.size() && text[at] != '\n') ++at;
    return at;
  }
  if (!is_at(at, '/', '*')) return at;
  int depth = 0;
  while (at < text.size()) {
    if (is_at(at, '/', '*')) ++depth;
    const bool ends = is_at(at, '*', '/');
    at += ends || is_at(at, '/', '*') ? 2 : 1;
    if (ends && --depth == 0) break;
  }
  return at;
}

inline size_t behind_blanks(StringView text, size_t at) {
  while (at < text.size()) {
    const size_t next = is_space(text[at]) ? at + 1 : behind_comment(text, at);
    if (next == at) break;
    at = next;
  }
  return at;
}

// The word at `at`, in lower case.
inline String word_at(StringView text, size_t at) {
  String word;
  for (; at < text.size() && is_letter(text[at]); ++at) word.append(lower(text[at]));
  return word;
}

}  // namespace words

// The first word of a statement, in lower case, behind blanks and comments.
[[nodiscard]] inline String first_word(StringView text) {
  return words::word_at(text, words::behind_blanks(text, 0));
}

// Statements by which an application says that something is to happen. FETCH, MOVE, COPY, LOCK and others
// say the same again and mean it: they move on, or bring other data.
[[nodiscard]] inline bool is_order(StringView text) {
  const String word = first_word(text);
  static constexpr StringView kOrders[] = {"insert", "update", "delete", "merge",
                                           "with",   "call",   "do",     "notify"};
  for (const StringView each : kOrders)
    if (word == each) return true;
  return false;
}

[[nodiscard]] inline bool is_query(StringView text) {
  const String word = first_word(text);
  return word == "select" || word == "values" || word == "table";
}

// WHERE CURRENT OF: the same text means another row each time. Errs towards yes.
[[nodiscard]] inline bool is_of_cursor(StringView text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (at != 0 && words::is_letter(text[at - 1])) continue;
    if (!(words::word_at(text, at) == "current")) continue;
    const size_t next = words::behind_blanks(text, at + 7);
    if (next > at + 7 && words::word_at(text, next) == "of") return true;
  }
  return false;
}

// $1, $2, ... stand in it. Errs towards yes.
[[nodiscard]] inline bool has_placeholder(StringView text) {
  for (size_t at = 0; at + 1 < text.size(); ++at)
    if (text[at] == '$' && plugin::detail::is_digit(text[at + 1])) return true;
  return false;
}

}  // namespace helios::dedup
