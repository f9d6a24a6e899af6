// SPDX-License-Identifier: Apache-2.0
#include "admin/accept.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace helios::admin {
namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool prefers(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(range.size() + 1, accept.size()));
    const std::string_view named = trim(range.substr(0, range.find(';')));
    if (base::equals_ignore_case(named, type)) return true;
    if (base::equals_ignore_case(named, "application/json")) return false;
  }
  return false;
}

}  // namespace helios::admin
