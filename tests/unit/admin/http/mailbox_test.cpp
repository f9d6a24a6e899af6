// SPDX-License-Identifier: Apache-2.0
// Tasks run in order and once; after close() nothing runs, and nothing deadlocks.

#include "admin/http/mailbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace helios::admin::http {
namespace {

TEST(Mailbox, tasks_run_in_order_after_one_wake) {
  int wakes = 0;
  std::vector<int> ran;
  Mailbox mailbox([&] { ++wakes; });
  mailbox.post([&] { ran.push_back(1); });
  mailbox.post([&] { ran.push_back(2); });
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(ran.empty());
  mailbox.run_all();
  EXPECT_EQ(ran, (std::vector{1, 2}));
  mailbox.run_all();
  EXPECT_EQ(ran.size(), 2U);
}

TEST(Mailbox, task_posted_by_a_task_waits_for_the_next_wake) {
  int wakes = 0;
  bool ran = false;
  Mailbox mailbox([&] { ++wakes; });
  mailbox.post([&] { mailbox.post([&] { ran = true; }); });
  mailbox.run_all();
  EXPECT_FALSE(ran);
  EXPECT_EQ(wakes, 2);
  mailbox.run_all();
  EXPECT_TRUE(ran);
}

// Posts when it is destroyed, as an unanswered reply does.
struct PostsAtTheEnd {
  explicit PostsAtTheEnd(Mailbox& box) : mailbox(&box) {}
  PostsAtTheEnd(const PostsAtTheEnd&) = delete;
  PostsAtTheEnd& operator=(const PostsAtTheEnd&) = delete;
  ~PostsAtTheEnd() {
    mailbox->post([] { FAIL() << "ran after close"; });
  }
  Mailbox* mailbox;
};

TEST(Mailbox, close_destroys_tasks_that_never_run) {
  int wakes = 0;
  Mailbox mailbox([&] { ++wakes; });
  auto owned = std::make_shared<PostsAtTheEnd>(mailbox);
  const std::weak_ptr<PostsAtTheEnd> watched = owned;
  mailbox.post([owned = std::move(owned)] { FAIL() << "ran after close"; });
  mailbox.close();
  EXPECT_TRUE(watched.expired());
  mailbox.post([] { FAIL() << "ran after close"; });
  mailbox.run_all();
  EXPECT_EQ(wakes, 1);
}

TEST(Mailbox, posts_of_several_threads_all_arrive) {
  constexpr int kTasks = 1'000;
  int ran = 0;
  Mailbox mailbox([] {});
  const auto post_many = [&] {
    for (int i = 0; i < kTasks; ++i) mailbox.post([&] { ++ran; });
  };
  std::thread first(post_many);
  std::thread second(post_many);
  first.join();
  second.join();
  mailbox.run_all();
  EXPECT_EQ(ran, 2 * kTasks);
}

}  // namespace
}  // namespace helios::admin::http
