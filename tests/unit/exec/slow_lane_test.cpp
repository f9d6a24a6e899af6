// SPDX-License-Identifier: Apache-2.0

// The slow lane: that tasks run once, that one user's queue does not starve another's, and what
// stop() and the end of a queue do to what waits. Threads meet at latches, never by time.

#include "exec/slow_lane.hpp"

#include "support/fault_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace helios::exec {
namespace {

// Tells that it was destroyed, as a captured object of a task.
std::shared_ptr<int> destruction_flag(std::atomic<int>& destroyed) {
  return {new int(0), [&destroyed](const int* value) {
            delete value;
            ++destroyed;
          }};
}

TEST(SlowLane, posted_tasks_all_run) {
  SlowLane lane(3);
  std::latch done(100);
  for (int i = 0; i < 100; ++i) lane.post([&] { done.count_down(); });
  done.wait();
}

TEST(SlowLane, task_that_throws_is_reported_and_the_next_ones_run) {
  test::FaultLog faults;
  std::atomic<int> destroyed = 0;
  SlowLane lane(2, &faults);
  const auto queue = lane.make_queue();  // of which one task runs at a time
  std::latch done(3);
  const auto flag = [&] {
    return std::shared_ptr<int>(new int(0), [&](const int* value) {
      delete value;
      ++destroyed;
      done.count_down();
    });
  };
  queue->post([held = flag()] { throw std::runtime_error("planted"); });
  queue->post([held = flag()] { throw 42; });
  queue->post([&] { done.count_down(); });
  done.wait();
  EXPECT_EQ(destroyed, 2);
  EXPECT_EQ(faults.lines(),
            (std::vector<std::string>{"slow_lane: planted", "slow_lane: not a std::exception"}));
}

TEST(SlowLane, task_posted_by_a_task_runs) {
  SlowLane lane(1);
  std::latch done(1);
  lane.post([&] { lane.post([&] { done.count_down(); }); });
  done.wait();
}

TEST(SlowLane, queue_keeps_order_on_one_thread_except_for_post_first) {
  SlowLane lane(1);
  const auto queue = lane.make_queue();
  std::latch hold(1);
  std::latch done(4);
  std::string order;
  lane.post([&] { hold.wait(); });
  for (const char name : {'a', 'b', 'c'})
    queue->post([&, name] {
      order += name;
      done.count_down();
    });
  queue->post_first([&] {
    order += '!';
    done.count_down();
  });
  hold.count_down();
  done.wait();
  EXPECT_EQ(order, "!abc");
}

TEST(SlowLane, full_queue_leaves_a_thread_for_another_queue) {
  SlowLane lane(2);
  const auto hog = lane.make_queue();
  const auto other = lane.make_queue();
  std::latch hold(1);
  for (int i = 0; i < 4; ++i) hog->post([&] { hold.wait(); });
  std::latch served(1);
  other->post([&] { served.count_down(); });
  served.wait();  // would never end if both threads were the hog's
  EXPECT_GE(lane.waiting(), 3U);
  hold.count_down();
}

TEST(SlowLane, queues_take_turns_on_one_thread) {
  SlowLane lane(1);
  const auto a = lane.make_queue();
  const auto b = lane.make_queue();
  std::latch hold(1);
  std::latch done(6);
  std::string order;
  lane.post([&] { hold.wait(); });
  for (int i = 0; i < 3; ++i)
    a->post([&] {
      order += 'a';
      done.count_down();
    });
  for (int i = 0; i < 3; ++i)
    b->post([&] {
      order += 'b';
      done.count_down();
    });
  hold.count_down();
  done.wait();
  EXPECT_EQ(order, "ababab");
}

TEST(SlowLane, stop_finishes_running_and_destroys_waiting_tasks) {
  std::atomic<int> destroyed = 0;
  std::atomic<int> ran = 0;
  SlowLane lane(1);
  std::latch started(1);
  std::latch hold(1);
  lane.post([&] {
    started.count_down();
    hold.wait();
    ++ran;
  });
  started.wait();
  lane.post([&, flag = destruction_flag(destroyed)] { ++ran; });
  std::thread stopper([&] { lane.stop(); });
  hold.count_down();
  stopper.join();
  // The second may have been taken before stop() was seen; either way it is gone, once.
  EXPECT_GE(ran, 1);
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(lane.waiting(), 0U);

  lane.post([&, flag = destruction_flag(destroyed)] { ran = 100; });
  EXPECT_EQ(destroyed, 2);
  EXPECT_LT(ran, 100);
}

TEST(SlowLane, destroyed_task_may_post) {
  // What a waiting task holds may give something back to the lane while it is destroyed.
  SlowLane lane(1);
  std::latch started(1);
  std::latch hold(1);
  lane.post([&] {
    started.count_down();
    hold.wait();
  });
  started.wait();
  auto queue = lane.make_queue();
  const std::shared_ptr<int> posts(new int(0), [&](const int* value) {
    delete value;
    lane.post([] {});
  });
  queue->post([held = posts] {});
  queue.reset();
  hold.count_down();
}

TEST(SlowLane, destroyed_queue_drops_its_tasks_and_nobody_elses) {
  std::atomic<int> destroyed = 0;
  SlowLane lane(1);
  std::latch started(1);
  std::latch hold(1);
  std::latch done(1);
  lane.post([&] {
    started.count_down();
    hold.wait();
  });
  started.wait();
  auto queue = lane.make_queue();
  std::atomic<bool> ran = false;
  queue->post([&, flag = destruction_flag(destroyed)] { ran = true; });
  lane.post([&] { done.count_down(); });
  queue.reset();
  EXPECT_EQ(destroyed, 1);
  hold.count_down();
  done.wait();
  EXPECT_FALSE(ran);
}

TEST(SlowLane, queue_may_outlive_its_lane) {
  std::atomic<int> destroyed = 0;
  auto lane = std::make_unique<SlowLane>(1);
  const auto queue = lane->make_queue();
  lane.reset();
  queue->post([flag = destruction_flag(destroyed)] {});
  EXPECT_EQ(destroyed, 1);
}

}  // namespace
}  // namespace helios::exec
