// SPDX-License-Identifier: Apache-2.0
#include "sql/parameters.hpp"

#include "sql/prepare_thread.hpp"
#include "sql/tokens.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

namespace helios::sql {

std::vector<std::size_t> parameters_in(std::string_view text, bool standard_conforming_strings) {
  std::vector<std::size_t> numbers;
  if (!text.contains('$')) return numbers;
  prepare_thread();
  const std::string copy(text);
  for (const Token& token : scan_tokens(copy, standard_conforming_strings)) {
    if (text[token.begin] != '$') continue;
    std::uint16_t number = 0;
    const char* end = text.data() + token.end;
    const auto read = std::from_chars(text.data() + token.begin + 1, end, number);
    if (read.ec == std::errc() && read.ptr == end && number > 0) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

}  // namespace helios::sql
