// SPDX-License-Identifier: Apache-2.0

// For whom a plugin is not run after faults, and for how long.

#include "plugins/supply/fault_backoff.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace helios::plugins {
namespace {

constexpr std::uint32_t kFaults = 3;

class FaultBackoffTest : public ::testing::Test {
 protected:
  bool runs(std::string_view caller = "alice") { return !backoff_.check(caller, clock_); }
  std::uint32_t fault(std::string_view caller = "alice") {
    return backoff_.note_fault(caller, "trap: unreachable", clock_.monotonic_ns());
  }
  void make_backed_off(std::string_view caller = "alice") {
    for (std::uint32_t i = 0; i < kFaults; ++i) fault(caller);
  }

  test::FakeClock clock_;
  FaultBackoff backoff_{{.faults_in_row = kFaults, .first_ms = 100, .longest_ms = 350}};
};

TEST_F(FaultBackoffTest, few_faults_change_nothing) {
  for (std::uint32_t i = 1; i < kFaults; ++i) EXPECT_EQ(fault(), 0U);
  EXPECT_TRUE(runs());
}

TEST_F(FaultBackoffTest, faults_in_a_row_back_off_and_say_why) {
  EXPECT_FALSE(backoff_.is_in_use());
  fault();
  fault();
  EXPECT_EQ(fault(), 100U);
  EXPECT_TRUE(backoff_.is_in_use());
  const auto why = backoff_.check("alice", clock_);
  ASSERT_TRUE(why);
  EXPECT_EQ(*why, "backing off after 3 faults in a row, the last: trap: unreachable");
}

TEST_F(FaultBackoffTest, call_that_works_in_between_begins_the_count_anew) {
  fault();
  fault();
  backoff_.note_success("alice");
  EXPECT_EQ(fault(), 0U);
  EXPECT_TRUE(runs());
}

TEST_F(FaultBackoffTest, others_are_not_backed_off) {
  make_backed_off();
  EXPECT_FALSE(runs());
  EXPECT_TRUE(runs("bob"));
  backoff_.note_success("bob");
  EXPECT_FALSE(runs());
}

TEST_F(FaultBackoffTest, one_call_is_tried_when_the_time_is_up) {
  make_backed_off();
  clock_.advance_ms(99);
  EXPECT_FALSE(runs());
  clock_.advance_ms(1);
  EXPECT_TRUE(runs());
  EXPECT_FALSE(runs());
}

TEST_F(FaultBackoffTest, trial_that_works_ends_it) {
  make_backed_off();
  clock_.advance_ms(100);
  EXPECT_TRUE(runs());
  backoff_.note_success("alice");
  EXPECT_TRUE(runs());
  EXPECT_FALSE(backoff_.is_in_use());
}

TEST_F(FaultBackoffTest, trials_that_fault_double_the_time_up_to_the_longest) {
  make_backed_off();
  for (const std::uint32_t ms : {200U, 350U, 350U}) {
    clock_.advance_ms(350);
    EXPECT_TRUE(runs());
    EXPECT_EQ(fault(), ms);
    clock_.advance_ms(ms - 1);
    EXPECT_FALSE(runs());
  }
}

TEST_F(FaultBackoffTest, trial_without_an_end_is_followed_by_another) {
  make_backed_off();
  clock_.advance_ms(100);
  EXPECT_TRUE(runs());
  clock_.advance_ms(100);
  EXPECT_TRUE(runs());
}

TEST_F(FaultBackoffTest, calls_that_were_under_way_do_not_lengthen_it) {
  make_backed_off();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fault(), 0U);
  clock_.advance_ms(100);
  EXPECT_TRUE(runs());
}

TEST_F(FaultBackoffTest, status_tells_how_many_and_how_long) {
  EXPECT_EQ(backoff_.status(clock_.monotonic_ns()).callers, 0U);
  make_backed_off("alice");
  clock_.advance_ms(40);
  make_backed_off("bob");
  fault("carol");
  const auto status = backoff_.status(clock_.monotonic_ns());
  EXPECT_EQ(status.callers, 2U);
  EXPECT_EQ(status.longest_left_ms, 100);
  clock_.advance_ms(100);
  EXPECT_EQ(backoff_.status(clock_.monotonic_ns()).callers, 0U);
}

TEST_F(FaultBackoffTest, zero_faults_mean_never) {
  FaultBackoff never({.faults_in_row = 0});
  for (int i = 0; i < 100; ++i) never.note_fault("alice", "trap", clock_.monotonic_ns());
  EXPECT_FALSE(never.is_in_use());
}

TEST_F(FaultBackoffTest, callers_beyond_the_table_are_run_and_old_ones_make_room) {
  for (std::size_t i = 0; i < FaultBackoff::kMaxCallers; ++i) fault("user" + std::to_string(i));
  make_backed_off("late");
  EXPECT_TRUE(runs("late"));
  clock_.advance_ns(FaultBackoff::kForgetNs);
  make_backed_off("late");
  EXPECT_FALSE(runs("late"));
}

TEST_F(FaultBackoffTest, caller_of_an_endless_name_is_not_remembered) {
  const std::string name(FaultBackoff::kMaxCallerBytes + 1, 'x');
  make_backed_off(name);
  EXPECT_FALSE(backoff_.is_in_use());
}

}  // namespace
}  // namespace helios::plugins
