// SPDX-License-Identifier: Apache-2.0
//
// A duration falls into the bucket into which a search for its bound would put it.

#include "metrics/duration_histogram.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace helios::metrics {
namespace {

TEST(DurationHistogram, bounds_are_inclusive_and_double) {
  DurationHistogram histogram;
  for (const std::int64_t ns : {-5, 0, 1, 1000, 1001, 2000, 2001, 4000, 4001})
    histogram.observe_ns(ns);
  const auto seen = histogram.snapshot();
  ASSERT_EQ(seen.bounds.size(), DurationHistogram::kBounds);
  ASSERT_EQ(seen.counts.size(), DurationHistogram::kBounds + 1);
  EXPECT_DOUBLE_EQ(seen.bounds[0], 1e-6);
  EXPECT_DOUBLE_EQ(seen.bounds[10], 1.024e-3);
  EXPECT_EQ(seen.counts[0], 4U);
  EXPECT_EQ(seen.counts[1], 2U);
  EXPECT_EQ(seen.counts[2], 2U);
  EXPECT_EQ(seen.counts[3], 1U);
  EXPECT_DOUBLE_EQ(seen.sum, 14004e-9);
}

TEST(DurationHistogram, agrees_with_a_histogram_of_the_same_bounds) {
  DurationHistogram fast;
  Histogram model(fast.snapshot().bounds);
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    // Every size alike, and the bounds themselves.
    const std::uint64_t ns =
        i % 3 == 0 ? std::uint64_t{1000} << (random() % 30) : random() >> (random() % 63 + 1);
    fast.observe_ns(static_cast<std::int64_t>(ns));
    model.observe(static_cast<double>(ns) / 1e9);
  }
  EXPECT_EQ(fast.snapshot().counts, model.snapshot().counts);
}

TEST(DurationHistogram, longest_is_beyond_all_bounds) {
  DurationHistogram histogram;
  histogram.observe_ns(INT64_MAX);
  EXPECT_EQ(histogram.snapshot().counts.back(), 1U);
}

}  // namespace
}  // namespace helios::metrics
