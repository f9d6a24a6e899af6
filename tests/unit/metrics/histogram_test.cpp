// SPDX-License-Identifier: Apache-2.0
// Which bucket a value falls into, and that snapshots of several threads' histograms add up.

#include "metrics/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <thread>

namespace helios::metrics {
namespace {

constexpr std::array kBounds = {1.0, 2.0, 4.0};

TEST(Histogram, value_on_a_bound_counts_below_it) {
  Histogram histogram(kBounds);
  histogram.observe(1.0);
  histogram.observe(1.5);
  histogram.observe(4.0);
  histogram.observe(4.5);
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts, (std::vector<std::uint64_t>{1, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(snapshot.sum, 11.0);
  EXPECT_EQ(snapshot.count(), 4U);
}

TEST(Histogram, extreme_values_count_in_the_outer_buckets) {
  Histogram histogram(kBounds);
  histogram.observe(-1.0);
  histogram.observe(std::numeric_limits<double>::max());
  EXPECT_EQ(histogram.snapshot().counts, (std::vector<std::uint64_t>{1, 0, 0, 1}));
}

TEST(Histogram, not_a_number_is_not_counted) {
  Histogram histogram(kBounds);
  histogram.observe(std::nan(""));
  EXPECT_EQ(histogram.snapshot().count(), 0U);
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum, 0.0);
}

TEST(Histogram, snapshot_merge_adds_bucket_by_bucket) {
  Histogram first(kBounds);
  Histogram second(kBounds);
  first.observe(0.5);
  second.observe(0.5);
  second.observe(3.0);
  HistogramSnapshot sum;
  sum.merge(first.snapshot());
  sum.merge(second.snapshot());
  sum.merge(HistogramSnapshot{});
  EXPECT_EQ(sum.counts, (std::vector<std::uint64_t>{2, 0, 1, 0}));
  EXPECT_DOUBLE_EQ(sum.sum, 4.0);
}

TEST(Histogram, snapshot_beside_a_writer_never_shrinks) {
  constexpr std::uint64_t kObservations = 20'000;
  Histogram histogram(kBounds);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kObservations; ++i) histogram.observe(1.0);
  });
  std::uint64_t last = 0;
  while (last < kObservations) {
    const std::uint64_t now = histogram.snapshot().count();
    ASSERT_GE(now, last);
    last = now;
  }
  writer.join();
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum, static_cast<double>(kObservations));
}

TEST(Histogram, duration_bounds_reach_from_microseconds_to_seconds) {
  const auto bounds = duration_bounds();
  EXPECT_DOUBLE_EQ(bounds.front(), 1e-6);
  EXPECT_DOUBLE_EQ(bounds.back(), 10.0);
  EXPECT_TRUE(std::ranges::is_sorted(bounds));
}

}  // namespace
}  // namespace helios::metrics
