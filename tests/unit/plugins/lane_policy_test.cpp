// SPDX-License-Identifier: Apache-2.0

// When a plugin's calls leave the event loop for good, and how they come back.

#include "plugins/supply/lane_policy.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace helios::plugins {
namespace {

using Lane = LanePolicy::Lane;
constexpr std::int64_t kNsPerMs = 1'000'000;

class LanePolicyTest : public ::testing::Test {
 protected:
  Lane choose() { return policy_.choose(clock_); }
  void overrun() { policy_.note_overrun(clock_.monotonic_ns()); }
  void quick_on_slow_lane(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) policy_.note_slow_lane(true);
  }
  void make_slow() {
    for (std::uint32_t i = 0; i < LanePolicy::kAllowance; ++i) overrun();
  }
  // As many quick calls as it takes until one is tried on the event loop; 0: more than a million.
  std::uint32_t calls_until_trial() {
    for (std::uint32_t calls = 1; calls <= 1'000'000; ++calls) {
      quick_on_slow_lane(1);
      if (choose() == Lane::event_loop) return calls;
    }
    return 0;
  }

  test::FakeClock clock_;
  LanePolicy policy_;
};

TEST_F(LanePolicyTest, plugin_begins_on_the_event_loop) {
  EXPECT_EQ(choose(), Lane::event_loop);
  EXPECT_FALSE(policy_.is_slow());
}

TEST_F(LanePolicyTest, few_overruns_are_borne) {
  for (std::uint32_t i = 1; i < LanePolicy::kAllowance; ++i) overrun();
  EXPECT_EQ(choose(), Lane::event_loop);
}

TEST_F(LanePolicyTest, repeated_overruns_send_it_to_the_slow_lane) {
  make_slow();
  EXPECT_EQ(choose(), Lane::slow);
}

TEST_F(LanePolicyTest, quick_calls_in_between_do_not_excuse_overruns) {
  for (std::uint32_t i = 0; i < LanePolicy::kAllowance; ++i) {
    for (int call = 0; call < 1000; ++call) policy_.note_quick_inline();
    overrun();
  }
  EXPECT_EQ(choose(), Lane::slow);
}

TEST_F(LanePolicyTest, overruns_far_apart_are_borne) {
  for (int i = 0; i < 100; ++i) {
    overrun();
    clock_.advance_ns(LanePolicy::kRefillNs);
    EXPECT_EQ(choose(), Lane::event_loop);
  }
}

TEST_F(LanePolicyTest, quick_calls_bring_a_trial_but_not_before_its_time) {
  make_slow();
  quick_on_slow_lane(LanePolicy::kFirstTrialAfter);
  EXPECT_EQ(choose(), Lane::slow);
  clock_.advance_ns(LanePolicy::kRefillNs);
  EXPECT_EQ(choose(), Lane::event_loop);
  EXPECT_EQ(choose(), Lane::slow);  // one call only
}

TEST_F(LanePolicyTest, slow_call_in_between_begins_the_count_anew) {
  make_slow();
  clock_.advance_ns(LanePolicy::kRefillNs);
  quick_on_slow_lane(LanePolicy::kFirstTrialAfter - 1);
  policy_.note_slow_lane(false);
  EXPECT_EQ(calls_until_trial(), LanePolicy::kFirstTrialAfter);
}

TEST_F(LanePolicyTest, trial_that_is_quick_brings_it_back) {
  make_slow();
  clock_.advance_ns(LanePolicy::kRefillNs);
  calls_until_trial();
  policy_.note_quick_inline();
  EXPECT_FALSE(policy_.is_slow());
}

TEST_F(LanePolicyTest, quick_call_that_was_under_way_brings_nothing_back) {
  make_slow();
  policy_.note_quick_inline();
  EXPECT_TRUE(policy_.is_slow());
}

TEST_F(LanePolicyTest, each_trial_that_fails_makes_the_next_one_rarer) {
  make_slow();
  std::uint32_t expected = LanePolicy::kFirstTrialAfter;
  for (int i = 0; i < 12; ++i) {
    clock_.advance_ns(LanePolicy::kRefillNs);
    EXPECT_EQ(calls_until_trial(), expected);
    overrun();
    expected = std::min(expected * 2, LanePolicy::kLastTrialAfter);
  }
  EXPECT_EQ(expected, LanePolicy::kLastTrialAfter);
}

TEST_F(LanePolicyTest, long_peace_is_forgiveness) {
  make_slow();
  clock_.advance_ns(LanePolicy::kRefillNs);
  calls_until_trial();
  overrun();
  clock_.advance_ns(LanePolicy::kRefillNs);
  calls_until_trial();
  policy_.note_quick_inline();
  clock_.advance_ns(LanePolicy::kForgiveNs);
  make_slow();
  clock_.advance_ns(LanePolicy::kRefillNs);
  EXPECT_EQ(calls_until_trial(), LanePolicy::kFirstTrialAfter);
}

TEST_F(LanePolicyTest, plugin_that_plays_for_trials_still_costs_one_overrun_in_a_second) {
  std::uint32_t overruns = 0;
  constexpr int kMilliseconds = 30'000;
  for (int ms = 0; ms < kMilliseconds; ++ms, clock_.advance_ns(kNsPerMs)) {
    // It is quick on the slow lane and when tried, and slow at every other chance.
    for (int call = 0; call < 100; ++call) {
      const bool was_slow = policy_.is_slow();
      if (choose() == Lane::slow) {
        policy_.note_slow_lane(true);
      } else if (was_slow) {
        policy_.note_quick_inline();
      } else {
        overrun();
        ++overruns;
      }
    }
  }
  EXPECT_LE(overruns, LanePolicy::kAllowance + kMilliseconds / 1000 + 1);
}

}  // namespace
}  // namespace helios::plugins
