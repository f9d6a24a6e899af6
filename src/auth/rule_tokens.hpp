// SPDX-License-Identifier: Apache-2.0
#pragma once

// One line of pg_hba.conf or pg_ident.conf as fields of tokens (manual, 21.1): blanks separate fields, a comma right behind
// a token adds the next one to the same field, '#' begins a comment, double quotes keep all of this and the special meaning
// of words away. Knows nothing of what the words mean.

#include "auth/rule_problems.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace helios::auth {

struct RuleToken {
  std::string text;
  // It begins with a quote: a name, whatever it spells. As in PostgreSQL, quotes further on do not count: a"ll" is all.
  bool is_quoted = false;
  Place place;

  [[nodiscard]] bool is_keyword(std::string_view word) const { return !is_quoted && text == word; }
};

using RuleField = std::vector<RuleToken>;  // of one column; never empty

// The same before its place is known: offsets in the line.
struct LineToken {
  std::string text;
  bool is_quoted = false;
  std::size_t begin = 0;
  std::size_t end = 0;
};

using LineField = std::vector<LineToken>;

struct LineFields {
  std::vector<LineField> fields;
  // What keeps the line from being read, at which offset; null: nothing. The fields mean nothing then. Unlike
  // PostgreSQL, which lets the end of the line close a quote: whoever forgot one means something else.
  const char* wrong = nullptr;
  std::size_t wrong_at = 0;
};

[[nodiscard]] LineFields split_line(std::string_view line);

}  // namespace helios::auth
