// SPDX-License-Identifier: Apache-2.0

// The executors, the log and the clock that tests everywhere rely on.

#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"
#include "support/thread_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

TEST(ManualExecutor, tasks_run_in_order_and_only_when_told) {
  ManualExecutor executor;
  std::vector<int> ran;
  executor.post([&] { ran.push_back(1); });
  executor.post([&] { ran.push_back(2); });
  EXPECT_TRUE(ran.empty());
  EXPECT_TRUE(executor.run_one());
  EXPECT_EQ(ran, std::vector<int>{1});
  EXPECT_EQ(executor.run_all(), 1U);
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_FALSE(executor.run_one());
}

TEST(ManualExecutor, run_all_runs_what_tasks_post) {
  ManualExecutor executor;
  int ran = 0;
  executor.post([&] {
    executor.post([&] { ++ran; });
    EXPECT_EQ(ran, 0) << "never inside post()";
  });
  EXPECT_EQ(executor.run_all(), 2U);
  EXPECT_EQ(ran, 1);
}

TEST(ManualExecutor, waiting_task_is_destroyed_with_the_executor) {
  auto held = std::make_shared<int>(1);
  bool has_run = false;
  {
    ManualExecutor executor;
    executor.post([&has_run, held] { has_run = true; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(has_run);
}

TEST(ThreadExecutor, tasks_run_in_order_on_one_other_thread) {
  ThreadExecutor executor;
  std::vector<int> ran;
  std::set<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    executor.post([&, i] {
      ran.push_back(i);
      threads.insert(std::this_thread::get_id());
      if (i == 99) executor.post([&] { ran.push_back(100); });
    });
  }
  executor.wait_until_idle();
  ASSERT_EQ(ran.size(), 101U);
  EXPECT_TRUE(std::ranges::is_sorted(ran));
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(CaptureLog, counts_lines_by_part_and_level) {
  CaptureLog log;
  log.write(base::LogLevel::info, "plugin counter loaded");
  log.write(base::LogLevel::error, "plugin counter failed");
  EXPECT_EQ(log.count("counter"), 2U);
  EXPECT_EQ(log.count(base::LogLevel::error, "counter"), 1U);
  EXPECT_EQ(log.lines()[0].text, "plugin counter loaded");
  log.clear();
  EXPECT_EQ(log.count(""), 0U);
}

TEST(FakeClock, moves_only_when_told) {
  FakeClock clock;
  const std::int64_t start_ns = clock.monotonic_ns();
  clock.advance_ms(5);
  EXPECT_EQ(clock.monotonic_ns(), start_ns + 5'000'000);
  EXPECT_EQ(clock.wall_ms(), FakeClock::kStartWallMs + 5);
  clock.set_wall_ms(1);
  EXPECT_EQ(clock.wall_ms(), 1);
  EXPECT_EQ(clock.monotonic_ns(), start_ns + 5'000'000);
}

}  // namespace
}  // namespace helios::test
