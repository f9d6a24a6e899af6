// SPDX-License-Identifier: Apache-2.0

#include "auth/rule_problems.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace helios::auth {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxWordBytes = 80;

}  // namespace

std::string Place::line_text() const {
  return base::escape_for_log(*file, kMaxPathBytes) + ":" + std::to_string(line);
}

std::string Place::text() const { return line_text() + ":" + std::to_string(column); }

void RuleProblems::add(const Place& place, std::string_view what) {
  ++added_;
  auto problem = place.text() + ": " + std::string(what);
  if (std::ranges::find(shown_, problem) != shown_.end()) return;
  if (shown_.size() == kMaxShown) {
    ++left_out_;
  } else {
    shown_.push_back(std::move(problem));
  }
}

std::string RuleProblems::message() const {
  std::string text;
  for (const auto& problem : shown_) text += (text.empty() ? "" : "\n") + problem;
  if (left_out_ > 0) text += " (and " + std::to_string(left_out_) + " more problems)";
  return text;
}

std::string in_quotes(std::string_view word) {
  return "\"" + base::escape_for_log(word, kMaxWordBytes) + "\"";
}

}  // namespace helios::auth
