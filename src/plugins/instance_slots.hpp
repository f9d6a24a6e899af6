// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many instances may be alive at once on event loops. The engine has that many slots, and one
// more for each thread of the slow lane and for loading: so a call that finds none free here goes to
// the slow lane and is sure of one there.

#include <atomic>
#include <cstdint>

namespace helios::plugins {

// Thread rule: any thread.
class InstanceSlots {
 public:
  explicit InstanceSlots(std::uint32_t count) : free_(count) {}

  // Takes a slot unless none is free. Whoever got true gives it back with release().
  [[nodiscard]] bool try_take() {
    if (free_.fetch_sub(1, std::memory_order_acquire) > 0) return true;
    release();
    return false;
  }
  void release() { free_.fetch_add(1, std::memory_order_release); }

 private:
  std::atomic<std::int64_t> free_;
};

}  // namespace helios::plugins
