// SPDX-License-Identifier: Apache-2.0
#include "metrics/duration_histogram.hpp"

namespace helios::metrics {

HistogramSnapshot DurationHistogram::snapshot() const {
  constexpr double kNanosecondsPerSecond = 1e9;
  HistogramSnapshot result;
  result.bounds.reserve(kBounds);
  result.counts.reserve(kBounds + 1);
  for (std::size_t i = 0; i < kBounds; ++i) {
    result.bounds.push_back(static_cast<double>(kFirstBoundNs << i) / kNanosecondsPerSecond);
  }
  for (const Counter& count : counts_) result.counts.push_back(count.value());
  result.sum = static_cast<double>(sum_ns_.value()) / kNanosecondsPerSecond;
  return result;
}

}  // namespace helios::metrics
