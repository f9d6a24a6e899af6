// SPDX-License-Identifier: Apache-2.0

#include "app/system_clock.hpp"

#include <chrono>
#include <thread>

namespace helios::app {

using std::chrono::duration_cast;

std::int64_t SystemClock::monotonic_ns() const {
  return duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t SystemClock::wall_ms() const {
  return duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void pause_ms(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

}  // namespace helios::app
