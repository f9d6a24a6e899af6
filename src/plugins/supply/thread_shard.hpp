// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>

namespace helios::plugins {

// What many threads use all the time is kept in so many shards, that of a thread being its own to a
// good approximation: threads are given numbers in turn, and it does not matter for correctness which.
inline constexpr std::size_t kThreadShards = 8;

[[nodiscard]] inline std::size_t thread_shard() {
  static constinit std::atomic<std::size_t> next = 0;
  static constinit thread_local std::size_t mine = kThreadShards;  // none yet
  if (mine == kThreadShards) mine = next.fetch_add(1, std::memory_order_relaxed) % kThreadShards;
  return mine;
}

}  // namespace helios::plugins
