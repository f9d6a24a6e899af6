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

}  // namespace helios::app
