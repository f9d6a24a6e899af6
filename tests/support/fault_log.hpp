// SPDX-License-Identifier: Apache-2.0
#pragma once

// Remembers what was caught, and where.

#include "base/faults.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace helios::test {

class FaultLog final : public base::FaultSink {
 public:
  void report(base::FaultPlace place, std::string_view what) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(base::to_word(place)) + ": " + std::string(what));
  }

  // "PLACE: WHAT" of each, in order.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace helios::test
