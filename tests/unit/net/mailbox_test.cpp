// SPDX-License-Identifier: Apache-2.0
//
// Tasks of many threads arrive once each, in the order of their poster, also when the owner sleeps.

#include "net/engine/mailbox.hpp"

#include "unit/net/net_support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace helios::net {
namespace {

TEST(Mailbox, tasks_run_in_order_and_once) {
  Mailbox mailbox;
  std::string ran;
  mailbox.post([&] { ran += 'a'; });
  mailbox.post([&] { ran += 'b'; });
  EXPECT_EQ(ran, "");
  mailbox.run_all();
  EXPECT_EQ(ran, "ab");
  mailbox.run_all();
  EXPECT_EQ(ran, "ab");
}

TEST(Mailbox, task_posted_by_a_task_runs_the_next_time) {
  Mailbox mailbox;
  std::string ran;
  mailbox.post([&] { mailbox.post([&] { ran += 'b'; }); });
  mailbox.run_all();
  EXPECT_EQ(ran, "");
  EXPECT_FALSE(mailbox.prepare_to_sleep());
  mailbox.run_all();
  EXPECT_EQ(ran, "b");
  EXPECT_TRUE(mailbox.prepare_to_sleep());
}

TEST(Mailbox, waiting_task_is_destroyed_with_it_and_does_not_run) {
  const auto token = std::make_shared<int>(0);
  {
    Mailbox mailbox;
    mailbox.post([token] { ++*token; });
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(*token, 0);
}

using MailboxOf = OnEveryEngine;
HELIOS_ON_ALL_ENGINES(MailboxOf);

TEST_P(MailboxOf, sleeping_engine_is_woken_by_every_thread) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  const auto engine = make_engine();
  int last[kThreads] = {};
  int disorder = 0;
  int arrived = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 1; i <= kPosts; ++i) {
        engine->mailbox().post([&, thread, i] {
          disorder += last[thread] != i - 1 ? 1 : 0;
          last[thread] = i;
          ++arrived;
        });
      }
    });
  }
  // Waits long: a wake-up that got lost would show as a test that takes very long.
  while (arrived < kThreads * kPosts) {
    engine->run_once(60'000);
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(arrived, kThreads * kPosts);
  EXPECT_EQ(disorder, 0);
}

}  // namespace
}  // namespace helios::net
