// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often which size of value was seen, in buckets whose bounds are fixed at construction. One
// thread observes, any thread takes snapshots; neither waits.

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace helios::metrics {

// What a histogram held at some moment. counts[i] is the number of values <= bounds[i] that fit no
// earlier bucket; the last of counts (one more than bounds) is what fits none.
struct HistogramSnapshot {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;

  [[nodiscard]] std::uint64_t count() const;

  // Adds another one's observations. Requires: the same bounds, or one of both is empty.
  void merge(const HistogramSnapshot& other);
};

class Histogram {
 public:
  // `bounds` are upper bounds, inclusive, in base units (seconds, bytes). They are copied.
  // Requires: strictly ascending, finite, at least one.
  explicit Histogram(std::span<const double> bounds);

  // Requires: every call comes from the same thread. NaN is not counted.
  void observe(double value);

  // From any thread. Observations made meanwhile may be in `counts` and not yet in `sum`.
  [[nodiscard]] HistogramSnapshot snapshot() const;

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // bounds_.size() + 1
  std::atomic<double> sum_{0};
};

// Bounds for durations in seconds, 1 us to 10 s in steps of 1, 2.5 and 5: from a hook that answers
// from memory to a statement somebody waits for.
[[nodiscard]] std::span<const double> duration_bounds();

}  // namespace helios::metrics
