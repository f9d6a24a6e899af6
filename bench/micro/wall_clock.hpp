// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace helios::bench {

// The real clocks: reading them is part of what is measured.
class WallClock final : public base::Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override {
    return since<std::chrono::system_clock>() / 1'000'000;
  }
  [[nodiscard]] std::int64_t monotonic_ns() const override {
    return since<std::chrono::steady_clock>();
  }

 private:
  template <typename Clock>
  static std::int64_t since() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace helios::bench
