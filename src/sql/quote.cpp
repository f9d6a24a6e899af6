// SPDX-License-Identifier: Apache-2.0
#include "sql/quote.hpp"

namespace helios::sql {

std::string quote_literal(std::string_view value) {
  std::string quoted;
  quoted.reserve(value.size() + 3);
  if (value.contains('\\')) quoted.push_back('E');
  quoted.push_back('\'');
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted.push_back(c);
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

}  // namespace helios::sql
