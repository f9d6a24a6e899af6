// SPDX-License-Identifier: Apache-2.0
#pragma once

// The time by which entries expire: the wall clock as it was when the store was made, and from then on what
// the monotonic clock says has passed. A wall clock that jumps neither ends an entry nor prolongs one; the times
// are absolute all the same, so that a later process, which looks at the wall clock anew, can go on with them.
//
// Thread rule: any thread.

#include "base/clock.hpp"

#include <cstdint>

namespace helios::kv {

class ExpiryClock {
 public:
  // `clock` outlives this.
  explicit ExpiryClock(const base::Clock& clock)
      : clock_(clock), began_ms_(clock.wall_ms()), began_ns_(clock.monotonic_ns()) {}

  // What the wall clock says, jumps and all: for what people read.
  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall_ms(); }

  // Milliseconds since 1970-01-01 UTC; never goes back.
  [[nodiscard]] std::int64_t now_ms() const {
    constexpr std::int64_t kNsPerMs = 1'000'000;
    return began_ms_ + (clock_.monotonic_ns() - began_ns_) / kNsPerMs;
  }

 private:
  const base::Clock& clock_;
  const std::int64_t began_ms_;
  const std::int64_t began_ns_;
};

}  // namespace helios::kv
