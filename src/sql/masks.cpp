// SPDX-License-Identifier: Apache-2.0
#include "sql/masks.hpp"

#include <algorithm>
#include <iterator>

namespace helios::sql {

void Masks::add(std::size_t begin, std::size_t end) {
  if (is_full_ || text_.substr(begin, end - begin) == kMask) return;
  is_full_ = places_.size() == kMaxMasks;
  places_.push_back({begin, is_full_ ? text_.size() : end});
}

void Masks::cover(std::size_t begin, std::size_t end) {
  if (text_.substr(begin, end - begin) == kMask) return;
  if (is_full_ && places_.back().begin <= begin) return;
  if (is_full_) end = text_.size();
  // Seldom is there one behind it.
  auto behind = places_.end();
  while (behind != places_.begin() && std::prev(behind)->begin >= end) --behind;
  auto first = behind;
  while (first != places_.begin() && std::prev(first)->begin >= begin) --first;
  places_.insert(places_.erase(first, behind), {begin, end});
}

std::optional<std::string> Masks::masked_text() const {
  if (places_.empty()) return std::nullopt;
  std::string out;
  out.reserve(text_.size() + kMask.size() * places_.size());
  std::size_t from = 0;
  for (const Place& place : places_) {
    out.append(text_.substr(from, place.begin - from)).append(kMask);
    from = place.end;
  }
  return out.append(text_.substr(from));
}

}  // namespace helios::sql
