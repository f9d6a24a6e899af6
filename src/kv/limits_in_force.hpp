// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kv/limits.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace helios::kv {

// Limits that a reload may replace while others read them. What was in force before is kept until the
// end, so a reader needs no lock and may hold on to what it was given: some 70 bytes for each change.
//
// Thread rule: any thread.
class LimitsInForce {
 public:
  explicit LimitsInForce(const Limits& limits) { set(limits); }

  [[nodiscard]] const Limits& get() const { return *now_.load(std::memory_order_acquire); }

  void set(const Limits& limits) {
    const std::scoped_lock lock(mutex_);
    if (!all_.empty() && *all_.back() == limits) {
      return;
    }
    all_.push_back(std::make_unique<const Limits>(limits));
    now_.store(all_.back().get(), std::memory_order_release);
  }

 private:
  std::mutex mutex_;  // guards all_
  std::vector<std::unique_ptr<const Limits>> all_;
  std::atomic<const Limits*> now_ = nullptr;
};

}  // namespace helios::kv
