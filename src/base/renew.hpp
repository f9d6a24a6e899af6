// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <type_traits>

namespace helios::base {

// `object = {}`, without the second object that it makes, moves and destroys: for what is used again with every query.
template <typename T>
void renew(T& object) noexcept {
  static_assert(std::is_nothrow_default_constructible_v<T> && std::is_nothrow_destructible_v<T>);
  std::destroy_at(&object);
  std::construct_at(&object);
}

}  // namespace helios::base
