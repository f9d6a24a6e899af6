// SPDX-License-Identifier: Apache-2.0
#pragma once

// A text's tokens, by PostgreSQL's own scanner, without white space and comments. Needed only where
// the parse tree does not say where something ends.

#include <cstddef>
#include <string>
#include <vector>

namespace helios::sql {

struct Token {
  enum class Kind { other, open, close, comma, lateral, all };
  Kind kind = Kind::other;
  std::size_t begin = 0;  // bytes [begin, end) of the text
  std::size_t end = 0;
};

// The tokens of `text`, in its order; empty when the scanner refuses it, which it does for no text
// that parsed under the same rule. Parentheses and brackets both are open and close. Thread rule: any
// thread, but not between sql_tree_open() and sql_tree_close().
[[nodiscard]] std::vector<Token> scan_tokens(const std::string& text,
                                             bool standard_conforming_strings);

}  // namespace helios::sql
