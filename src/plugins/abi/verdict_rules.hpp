// SPDX-License-Identifier: Apache-2.0
#pragma once

// What verdicts of either ABI must keep to.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace helios::plugins {

inline constexpr std::size_t kMaxIdentityBytes = 1024;
inline constexpr std::size_t kMaxRoles = 100;
inline constexpr std::size_t kMaxAnswerColumns = 1600;  // as PostgreSQL has at most

// An SQLSTATE that an error may have: the first classes are success, warning and no data.
[[nodiscard]] inline bool is_error_state(std::string_view text) {
  constexpr std::size_t kLength = 5;
  const std::string_view error_class = text.substr(0, 2);
  return text.size() == kLength && error_class != "00" && error_class != "01" &&
         error_class != "02" && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

}  // namespace helios::plugins
