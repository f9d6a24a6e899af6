// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time as an input. Code below layer 4 never reads a clock; it is handed one of these, so tests
// decide what time it is.

#include <cstdint>

namespace helios::base {

// Thread rule: both calls may be made from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Nanoseconds since an arbitrary start; never goes back. For durations and deadlines.
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;

  // Milliseconds since 1970-01-01 UTC; may jump both ways. For what people and plugins see.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
};

}  // namespace helios::base
