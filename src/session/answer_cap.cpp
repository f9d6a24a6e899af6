// SPDX-License-Identifier: Apache-2.0
#include "session/answer_cap.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {
namespace {

constexpr std::string_view kHint =
    "Ask for less: with a LIMIT, a WHERE that fits fewer rows, or fewer columns.";

// "1 row", "2 rows".
std::string count_of(std::uint64_t count, std::string_view what) {
  std::string text = std::to_string(count) + " " + std::string(what);
  if (count == 1) text.pop_back();
  return text;
}

}  // namespace

std::string_view to_word(CapKind kind) {
  switch (kind) {
    case CapKind::rows: return "rows";
    case CapKind::bytes: return "bytes";
  }
  return "";
}

std::string CutAnswer::message() const {
  return "the answer is limited to " + count_of(limit.most, to_word(kind));
}

std::string CutAnswer::detail() const {
  return count_of(rows, "rows") + " of " + count_of(bytes, "bytes") + " were sent.";
}

std::string CutAnswer::hint() const { return limit.hint.empty() ? std::string(kHint) : limit.hint; }

std::optional<CapKind> AnswerCap::exceeded_by(Part part) const {
  // What has passed is within the limits, so that these are no negative numbers.
  if (limits_.rows && part.rows > limits_.rows->most - rows_) return CapKind::rows;
  const bool is_over = limits_.bytes && part.bytes > limits_.bytes->most - bytes_;
  return is_over ? std::optional(CapKind::bytes) : std::nullopt;
}

CutAnswer AnswerCap::cut(CapKind kind) const {
  const auto& limit = kind == CapKind::rows ? limits_.rows : limits_.bytes;
  return {.kind = kind, .limit = *limit, .rows = rows_, .bytes = bytes_};
}

void AnswerCaps::add(std::shared_ptr<AnswerCap> cap) {
  if (std::ranges::find(caps_, cap) == caps_.end()) caps_.push_back(std::move(cap));
}

void AnswerCaps::add(const AnswerCaps& others) {
  for (const auto& cap : others.caps_) add(cap);
}

std::optional<CutAnswer> AnswerCaps::pass(AnswerCap::Part part) {
  for (const auto& cap : caps_) {
    if (const auto kind = cap->exceeded_by(part)) return cap->cut(*kind);
  }
  for (const auto& cap : caps_) cap->add(part);
  return std::nullopt;
}

}  // namespace helios::session
