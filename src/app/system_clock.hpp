// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

namespace helios::app {

// The machine's clocks.
class SystemClock final : public base::Clock {
 public:
  [[nodiscard]] std::int64_t monotonic_ns() const override;
  [[nodiscard]] std::int64_t wall_ms() const override;
};

// Blocks the calling thread for so long: for a command that waits until somebody else has done something.
void pause_ms(std::int64_t ms);

}  // namespace helios::app
