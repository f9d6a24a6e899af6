// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whoever hands a run or an execution on makes room for it first: were it dropped by an exception on the way, its
// post_query would never come.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace helios::base {

// Apart, so that make_room() mostly is a comparison.
template <typename T>
[[gnu::noinline]] void grow(std::vector<T>& list) {
  constexpr std::size_t kFirst = 4;
  list.reserve(std::max(kFirst, 2 * list.size()));
}

// The next push_back() throws nothing. Grows as push_back() does.
template <typename T>
[[gnu::always_inline]] inline void make_room(std::vector<T>& list) {
  if (list.size() == list.capacity()) [[unlikely]]
    grow(list);
}

}  // namespace helios::base
