// SPDX-License-Identifier: Apache-2.0
#include "base/completion.hpp"

#include <gtest/gtest.h>

namespace helios::base {
namespace {

TEST(Completion, is_awaited_from_await_until_it_arrives) {
  Completion completion([] {});
  EXPECT_FALSE(completion.is_awaited());
  completion.await();
  EXPECT_TRUE(completion.is_awaited());
  completion.arrive();
  EXPECT_FALSE(completion.is_awaited());
}

TEST(Completion, tells_its_owner_once_for_each_work_and_not_before_it_arrived) {
  int told = 0;
  bool was_awaited = true;
  Completion completion([&] {
    ++told;
    was_awaited = completion.is_awaited();
  });
  completion.await();
  EXPECT_EQ(told, 0);
  completion.finish();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(was_awaited);
  completion.await();
  completion.arrive();
  EXPECT_EQ(told, 1);
  completion.tell();
  EXPECT_EQ(told, 2);
}

TEST(Completion, owner_may_begin_the_next_work_when_it_is_told) {
  int left = 3;
  Completion completion([&] {
    if (--left > 0) completion.await();
  });
  completion.await();
  while (completion.is_awaited()) completion.finish();
  EXPECT_EQ(left, 0);
}

#ifndef NDEBUG
TEST(CompletionDeathTest, misuse_is_caught) {
  EXPECT_DEATH(
      {
        Completion completion([] {});
        completion.await();
        completion.await();
      },
      "is_awaited");
  EXPECT_DEATH(
      {
        Completion completion([] {});
        completion.finish();
      },
      "is_awaited");
  EXPECT_DEATH(
      {
        Completion completion([] {});
        completion.await();
      },
      "is_awaited");
}
#endif

}  // namespace
}  // namespace helios::base
