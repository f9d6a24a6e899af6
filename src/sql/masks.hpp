// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::sql {

// The places of a text that have to go, in its order, and the text without them. Where there are more than kMaxMasks, all that
// stands behind the last of them goes as well, so that no text makes this list long. Nothing is allocated before the first.
//
// Lifetime: `text` outlives this. Thread rule: one thread.
class Masks {
 public:
  static constexpr std::string_view kMask = "***";
  static constexpr std::size_t kMaxMasks = 10'000;

  explicit Masks(std::string_view text) : text_(text) {}

  // Bytes [begin, end) go; an empty range becomes a mask, too. What is a mask already stays as it is.
  // Requires: it begins behind all that were added before.
  void add(std::size_t begin, std::size_t end);
  // All of [begin, end) goes, instead of parts of it. Requires: each mask there is lies within it, before it or behind it.
  void cover(std::size_t begin, std::size_t end);

  // The text with a mask in each place; nullopt when there is none.
  [[nodiscard]] std::optional<std::string> masked_text() const;

 private:
  struct Place {
    std::size_t begin;
    std::size_t end;
  };
  std::string_view text_;
  std::vector<Place> places_;
  bool is_full_ = false;  // the last place reaches to the end of the text
};

}  // namespace helios::sql
