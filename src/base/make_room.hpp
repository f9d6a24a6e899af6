// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whoever hands a run or an execution on makes room for it first: were it dropped by an exception on the way, its
// post_query would never come.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace helios::base {

// The next push_back() throws nothing. Grows as push_back() does.
template <typename T>
void make_room(std::vector<T>& list) {
  constexpr std::size_t kFirst = 4;
  if (list.size() == list.capacity()) list.reserve(std::max(kFirst, 2 * list.size()));
}

}  // namespace helios::base
