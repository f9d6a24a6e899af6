// SPDX-License-Identifier: Apache-2.0
//
// Timers run in the order of their deadlines, once, and not before; time is a number here.

#include "net/engine/timer_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::net {
namespace {

TEST(TimerQueue, expired_tasks_run_in_order_of_deadline) {
  TimerQueue queue;
  std::string ran;
  queue.add(30, [&] { ran += 'c'; });
  queue.add(10, [&] { ran += 'a'; });
  queue.add(20, [&] { ran += 'b'; });
  queue.run_expired(20);
  EXPECT_EQ(ran, "ab");
  EXPECT_EQ(queue.next_deadline_ns(), 30);
  queue.run_expired(30);
  EXPECT_EQ(ran, "abc");
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, equal_deadlines_run_in_order_of_adding) {
  TimerQueue queue;
  std::string ran;
  queue.add(10, [&] { ran += 'a'; });
  queue.add(10, [&] { ran += 'b'; });
  queue.run_expired(10);
  EXPECT_EQ(ran, "ab");
}

TEST(TimerQueue, cancelled_task_does_not_run) {
  TimerQueue queue;
  bool ran = false;
  const auto id = queue.add(10, [&] { ran = true; });
  queue.cancel(id);
  queue.cancel(id);
  queue.cancel(TimerId{});
  queue.run_expired(100);
  EXPECT_FALSE(ran);
}

TEST(TimerQueue, task_may_cancel_the_next_one) {
  TimerQueue queue;
  bool ran = false;
  TimerId second;
  queue.add(10, [&] { queue.cancel(second); });
  second = queue.add(11, [&] { ran = true; });
  queue.run_expired(100);
  EXPECT_FALSE(ran);
}

TEST(TimerQueue, task_added_meanwhile_waits_for_the_next_call) {
  TimerQueue queue;
  int runs = 0;
  queue.add(10, [&] { queue.add(5, [&] { ++runs; }); });
  queue.add(20, [&] { queue.add(20, [&] { ++runs; }); });
  queue.run_expired(100);
  EXPECT_EQ(runs, 0);
  queue.run_expired(100);
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace helios::net
