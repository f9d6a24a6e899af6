// SPDX-License-Identifier: Apache-2.0
#include "base/ring.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <utility>

namespace helios::base {
namespace {

using Numbers = Ring<std::unique_ptr<int>>;

void push(Numbers& ring, int number) { ring.emplace(std::make_unique<int>(number)); }

TEST(Ring, GivesBackInOrder) {
  Numbers ring(1);
  for (int number = 0; number < 10; ++number) push(ring, number);
  for (int number = 0; number < 10; ++number) {
    EXPECT_EQ(*ring.front(), number);
    ring.pop_front();
  }
  EXPECT_TRUE(ring.empty());
}

TEST(Ring, APositionNamesOneElement) {
  Numbers ring(7);
  for (int number = 0; number < 3; ++number) push(ring, number);
  EXPECT_EQ(ring.first(), 7U);
  EXPECT_EQ(ring.end(), 10U);
  ring.pop_front();
  for (int number = 3; number < 100; ++number) push(ring, number);
  EXPECT_EQ(*ring[9], 2);
  EXPECT_EQ(*ring[7 + 99], 99);
  EXPECT_FALSE(ring.contains(7));
  EXPECT_TRUE(ring.contains(8));
  EXPECT_FALSE(ring.contains(7 + 100));
}

TEST(Ring, KeepsTheMemoryOfAFewAndGivesBackThatOfMany) {
  Numbers ring(0);
  EXPECT_EQ(ring.held_bytes(), 0U);
  for (int number = 0; number < 100; ++number) push(ring, number);
  const std::size_t few = ring.held_bytes();
  while (!ring.empty()) ring.pop_front();
  EXPECT_EQ(ring.held_bytes(), few);
  for (int number = 0; number < 100'000; ++number) push(ring, number);
  const std::size_t many = ring.held_bytes();
  while (ring.size() > 20'000) ring.pop_front();
  EXPECT_LE(ring.held_bytes(), many / 2);
  while (!ring.empty()) ring.pop_front();
  EXPECT_EQ(ring.held_bytes(), 0U);
}

TEST(Ring, DestroysWhatIsLeft) {
  const auto seen = std::make_shared<int>(0);
  {
    Ring<std::shared_ptr<int>> ring(0);
    for (int i = 0; i < 9; ++i) ring.emplace(seen);
    ring.pop_front();
    ring.truncate(ring.first() + 5);
    EXPECT_EQ(seen.use_count(), 1 + 5);
  }
  EXPECT_EQ(seen.use_count(), 1);
}

// Beside a std::deque, in phases that fill it and phases that empty it.
TEST(Ring, IsAQueue) {
  std::mt19937 random(20);
  Numbers ring(1);
  std::deque<int> model;
  std::uint64_t first = 1;
  for (int turn = 0; turn < 60'000; ++turn) {
    const bool is_filling = (turn / 6'000) % 2 == 0;
    const auto choice = random() % 10;
    if (choice < (is_filling ? 7U : 2U)) {
      push(ring, turn);
      model.push_back(turn);
    } else if (choice == 9 && turn % 64 == 0) {
      const std::size_t left = model.size() - model.size() / 4;
      ring.truncate(first + left);
      model.resize(left);
    } else if (!model.empty()) {
      ASSERT_EQ(*ring.front(), model.front());
      ring.pop_front();
      model.pop_front();
      ++first;
    }
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(ring.first(), first);
    if (model.empty()) continue;
    const std::size_t at = random() % model.size();
    ASSERT_EQ(*ring[first + at], model[at]);
    ASSERT_EQ(*ring.back(), model.back());
  }
}

}  // namespace
}  // namespace helios::base
