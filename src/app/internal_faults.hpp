// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts and logs the exceptions that were caught as the last resort.

#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "metrics/counter.hpp"
#include "metrics/registry.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace helios::app {

class InternalFaults final : public base::FaultSink {
 public:
  // At most one line a second for each place.
  static constexpr std::int64_t kLogEveryNs = 1'000'000'000;

  // Both outlive this.
  InternalFaults(base::Log& log, const base::Clock& clock) : log_(log), clock_(clock) {}

  void report(base::FaultPlace place, std::string_view what) noexcept override;

  [[nodiscard]] std::uint64_t count(base::FaultPlace place) const;

  // Requires: this outlives the source.
  [[nodiscard]] metrics::Source metrics_source() const;

 private:
  struct Place {
    metrics::SharedCounter count;
    std::atomic<std::int64_t> next_line_ns = INT64_MIN;
  };

  base::Log& log_;
  const base::Clock& clock_;
  std::array<Place, base::kFaultPlaces> places_;
};

}  // namespace helios::app
