// SPDX-License-Identifier: Apache-2.0

// What rests between two pieces of work is found by the next one, and by nobody twice; nothing is left behind.

#include "plugins/supply/per_thread.hpp"

#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace helios::plugins {
namespace {

struct Thing : boost::intrusive_ref_counter<Thing> {
  explicit Thing(std::atomic<int>& count) : alive(count) { ++alive; }
  Thing(const Thing&) = delete;
  Thing& operator=(const Thing&) = delete;
  ~Thing() { --alive; }
  std::atomic<int>& alive;
  std::atomic<int> users = 0;
};

class PerThreadTest : public testing::Test {
 protected:
  PerThread<Thing>::Pointer make() { return new Thing(alive_); }

  std::atomic<int> alive_ = 0;
  PerThread<Thing> resting_;
};

TEST_F(PerThreadTest, what_was_put_is_taken_once) {
  EXPECT_EQ(resting_.take(), nullptr);
  const auto thing = make();
  resting_.put(thing);
  EXPECT_EQ(resting_.take(), thing);
  EXPECT_EQ(resting_.take(), nullptr);
}

TEST_F(PerThreadTest, what_rested_before_is_let_go) {
  resting_.put(make());
  const auto second = make();
  resting_.put(second);
  EXPECT_EQ(alive_, 1);
  EXPECT_EQ(resting_.take(), second);
}

TEST_F(PerThreadTest, close_lets_go_what_rests_and_what_comes_later) {
  resting_.put(make());
  resting_.close();
  EXPECT_EQ(alive_, 0);
  resting_.put(make());
  EXPECT_EQ(alive_, 0);
  EXPECT_EQ(resting_.take(), nullptr);
}

TEST_F(PerThreadTest, nothing_is_left_when_it_ends) {
  {
    PerThread<Thing> resting;
    resting.put(make());
    EXPECT_EQ(alive_, 1);
  }
  EXPECT_EQ(alive_, 0);
}

TEST_F(PerThreadTest, threads_of_one_shard_never_have_the_same_thing) {
  constexpr std::size_t kThreads = kThreadShards + 3;  // some share a shard
  constexpr int kRounds = 2000;
  std::atomic<bool> had_two = false;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          auto thing = resting_.take();
          if (!thing) thing = make();
          if (thing->users.fetch_add(1) != 0) had_two = true;
          thing->users.fetch_sub(1);
          resting_.put(std::move(thing));
        }
      });
    }
    resting_.close();  // amid all that
  }
  EXPECT_FALSE(had_two);
  EXPECT_EQ(alive_, 0);
}

}  // namespace
}  // namespace helios::plugins
