// SPDX-License-Identifier: Apache-2.0

#include "auth/rule_lines.hpp"

#include <algorithm>

namespace helios::auth {

std::pair<std::uint32_t, std::uint32_t> RuleLine::position(std::size_t offset) const {
  const auto behind =
      std::ranges::upper_bound(starts_, offset, {}, &std::pair<std::size_t, std::uint32_t>::first);
  const auto& [start, number] = *std::prev(behind);
  return {number, static_cast<std::uint32_t>(offset - start + 1)};
}

void RuleLine::begin(std::uint32_t line) {
  text_.clear();
  is_too_long_ = false;
  starts_.assign(1, {0, line});
}

void RuleLine::append(std::string_view part, std::uint32_t line) {
  if (is_too_long_ || part.size() > kMaxBytes - text_.size()) {
    is_too_long_ = true;
    return;
  }
  if (starts_.back().second != line) starts_.emplace_back(text_.size(), line);
  text_ += part;
}

bool RuleLines::next(RuleLine& line) {
  if (rest_.empty()) return false;
  line.begin(number_ + 1);
  bool continues = true;
  while (continues && !rest_.empty()) {
    std::string_view part = next_physical();
    // An empty line ends the record: the backslash before it has been taken already.
    continues = part.ends_with('\\');
    if (continues) part.remove_suffix(1);
    line.append(part, number_);
  }
  return true;
}

std::string_view RuleLines::next_physical() {
  const std::size_t end = rest_.find('\n');
  std::string_view part = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++number_;
  while (part.ends_with('\r')) part.remove_suffix(1);
  return part;
}

}  // namespace helios::auth
