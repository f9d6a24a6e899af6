// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers that one thread changes and another reads at a scrape. Nothing here locks or fences: a
// scrape sees each number as of some recent moment, and no two numbers as of the same one.
//
// Counter: only one thread may write it; an addition is then a plain load and store. Give every
// worker its own and let the registry add them up (see registry.hpp).
// SharedCounter: any thread may write it, at the price of a locked instruction. For rare events.
// Gauge: like SharedCounter, and goes down as well.

#include <atomic>
#include <cstdint>

namespace helios::metrics {

class Counter {
 public:
  // Requires: every call comes from the same thread (or threads that hand over properly).
  void add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  // From any thread.
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Thread rule: any thread.
class SharedCounter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Thread rule: any thread.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t change) { value_.fetch_add(change, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace helios::metrics
