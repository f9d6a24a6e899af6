// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz/support/fuzz.hpp"

#include <string>
#include <string_view>

namespace helios::fuzz {

// Writes SQL in one of the many ways that mean the same; the input chooses which. Lives no longer
// than the input.
class Spelling {
 public:
  Spelling(Input& input, bool standard_conforming_strings)
      : input_(input), conforming_(standard_conforming_strings) {}

  // White space or a comment.
  std::string gap();
  // The name of a setting, of two parts: any case, quoted or not.
  std::string name(std::string_view name);
  // A string constant of that value. Requires: no NUL byte.
  std::string literal(std::string_view value);

 private:
  std::string identifier(std::string_view word);
  std::string plain(std::string_view value) const;
  std::string escaped(std::string_view value);
  std::string dollar_quoted(std::string_view value) const;
  std::string unicode_escaped(std::string_view value) const;

  Input& input_;
  bool conforming_;
};

}  // namespace helios::fuzz
