// SPDX-License-Identifier: Apache-2.0
#pragma once

// A clock that stands still until a test moves it. May be read and moved from any thread.

#include "base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace helios::test {

class FakeClock final : public base::Clock {
 public:
  // 2024-01-01 00:00:00 UTC, so that expiry times in tests look like real ones.
  static constexpr std::int64_t kStartWallMs = 1'704'067'200'000;

  [[nodiscard]] std::int64_t monotonic_ns() const override { return monotonic_ns_; }
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }

  // Moves both clocks forward.
  void advance_ms(std::int64_t ms) {
    monotonic_ns_ += ms * 1'000'000;
    wall_ms_ += ms;
  }

  // Moves the monotonic clock alone.
  void advance_ns(std::int64_t ns) { monotonic_ns_ += ns; }

  // Jumps the wall clock alone, as an operator or NTP does; both directions.
  void set_wall_ms(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::atomic<std::int64_t> monotonic_ns_ = 1'000'000'000;
  std::atomic<std::int64_t> wall_ms_ = kStartWallMs;
};

}  // namespace helios::test
