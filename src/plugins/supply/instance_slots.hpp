// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many instances may be alive at once on event loops. The engine has that many slots, and one
// more for each thread of the slow lane and for loading: so a call that finds none free here goes to
// the slow lane and is sure of one there.

#include <atomic>
#include <cstdint>
#include <utility>

namespace helios::plugins {

// Thread rule: any thread. Outlives its leases.
class InstanceSlots {
 public:
  // A slot that is taken, or none; given back when it ends.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(slots_, other.slots_);
      return *this;
    }
    ~Lease() {
      if (slots_ != nullptr) slots_->free_.fetch_add(1, std::memory_order_release);
    }
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    friend class InstanceSlots;
    explicit Lease(InstanceSlots& slots) : slots_(&slots) {}
    InstanceSlots* slots_ = nullptr;
  };

  explicit InstanceSlots(std::uint32_t count) : count_(count), free_(count) {}

  // A slot for a call, unless none is free.
  [[nodiscard]] Lease try_take() {
    Lease lease(*this);
    if (free_.fetch_sub(1, std::memory_order_acquire) > 0) return lease;
    return {};  // ending `lease` gives back what was taken
  }

  // Whether instances may be kept for calls to come: no more than half of the slots are in use, so
  // that no plugin's stock is in the way of another's calls.
  [[nodiscard]] bool has_spare() const {
    return 2 * free_.load(std::memory_order_relaxed) > std::int64_t{count_};
  }

  // Taken at some moment, those of calls that found none free not counted.
  [[nodiscard]] std::uint32_t used() const {
    const std::int64_t free = free_.load(std::memory_order_relaxed);
    return free > 0 ? count_ - static_cast<std::uint32_t>(free) : count_;
  }

 private:
  const std::uint32_t count_;
  std::atomic<std::int64_t> free_;
};

}  // namespace helios::plugins
