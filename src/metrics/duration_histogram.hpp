// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often which duration was seen, for what happens with every statement: buckets that double, so that the right one is
// found without a search. Histogram is for the rest.

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace helios::metrics {

// Thread rule: one thread observes, any thread takes snapshots; neither waits.
class DurationHistogram {
 public:
  // Upper bounds, inclusive: 1 us, 2 us, 4 us, ... 2^25 us, which is half a minute.
  static constexpr std::size_t kBounds = 26;

  // Below 0 counts as 0.
  void observe_ns(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
    const auto begun_us = (std::max<std::uint64_t>(value, 1) - 1) / kFirstBoundNs;
    const auto bucket = std::min<std::size_t>(std::size_t(std::bit_width(begun_us)), kBounds);
    counts_[bucket].add();
    sum_ns_.add(value);
  }

  // In seconds. Observations made meanwhile may be in `counts` and not yet in `sum`.
  [[nodiscard]] HistogramSnapshot snapshot() const;

 private:
  static constexpr std::uint64_t kFirstBoundNs = 1000;

  std::array<Counter, kBounds + 1> counts_;
  Counter sum_ns_;
};

}  // namespace helios::metrics
