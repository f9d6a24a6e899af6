// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sessions of all workers hold together. Each worker counts for itself and shows its sum after
// every round of its loop: nobody waits, and what is read is one round old at most.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace helios::net {

class MemoryBudget {
 public:
  // One worker's part, on a cache line of its own.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> bytes = 0;  // written by that worker
  };

  // Requires: no worker runs yet. The reference lives as long as the budget.
  [[nodiscard]] Share& add_share() { return shares_.emplace_back(); }

  // Any thread.
  [[nodiscard]] std::uint64_t total_bytes() const {
    std::uint64_t total = 0;
    for (const auto& share : shares_) {
      total += share.bytes.load(std::memory_order_relaxed);
    }
    return total;
  }

 private:
  std::deque<Share> shares_;
};

}  // namespace helios::net
