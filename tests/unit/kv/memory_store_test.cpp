// SPDX-License-Identifier: Apache-2.0

// What only the in-memory store promises; the rest is in tests/contract/kv.

#include "kv/memory_store.hpp"

#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace helios::kv {
namespace {

class MemoryStoreTest : public testing::Test {
 protected:
  void put(Namespace& space, std::string_view key, ExpiryMs expires_at_ms = kNeverExpires) {
    Transaction transaction(store_, space);
    ASSERT_EQ(transaction.set(key, "v", expires_at_ms), WriteStatus::ok);
    ASSERT_EQ(transaction.commit({}), CommitStatus::done);
  }

  test::FakeClock clock_;
  MemoryStore store_{{}, clock_};
  Namespace& space_ = **store_.open("subject");
};

TEST_F(MemoryStoreTest, fetch_is_ready_at_once) {
  Transaction transaction(store_, space_);
  bool is_ready = false;
  store_.fetch(transaction, [&] { is_ready = true; });
  EXPECT_TRUE(is_ready);
}

TEST_F(MemoryStoreTest, free_exclusivity_is_granted_inside_the_call) {
  bool is_granted = false;
  store_.request_exclusive(space_, [&](std::unique_ptr<Exclusivity>) { is_granted = true; });
  EXPECT_TRUE(is_granted);
}

TEST_F(MemoryStoreTest, exclusivity_may_be_given_back_on_another_thread) {
  std::unique_ptr<Exclusivity> lease;
  store_.request_exclusive(space_,
                           [&](std::unique_ptr<Exclusivity> given) { lease = std::move(given); });
  Transaction waiting(store_, space_);
  ASSERT_EQ(waiting.set("k", "v"), WriteStatus::ok);
  std::thread::id answered_on;
  ASSERT_EQ(waiting.commit([&](CommitStatus) { answered_on = std::this_thread::get_id(); }),
            CommitStatus::pending);
  std::thread other([&] { lease.reset(); });
  const std::thread::id other_id = other.get_id();
  other.join();
  EXPECT_EQ(answered_on, other_id);
}

TEST_F(MemoryStoreTest, remove_expired_reaches_namespaces_that_nobody_writes) {
  Namespace& other = **store_.open("other");
  for (int i = 0; i < 10; ++i) {
    put(space_, "k" + std::to_string(i), clock_.wall_ms() + 100);
    put(other, "k" + std::to_string(i), clock_.wall_ms() + 100);
  }
  put(space_, "forever");
  EXPECT_EQ(store_.remove_expired(), 0U);
  clock_.advance_ms(100);
  EXPECT_EQ(store_.usage(space_).keys, 11U) << "counted until removed";
  EXPECT_EQ(store_.remove_expired(4), 8U);
  EXPECT_EQ(store_.remove_expired(), 12U);
  EXPECT_EQ(store_.usage(space_).keys, 1U);
  EXPECT_EQ(store_.total_usage().keys, 1U);
  EXPECT_EQ(store_.total_usage().bytes, entry_bytes(7, 1));
}

TEST_F(MemoryStoreTest, removal_of_expired_entries_is_no_conflict_for_who_found_them_gone) {
  put(space_, "k", clock_.wall_ms() + 100);
  clock_.advance_ms(100);
  Transaction transaction(store_, space_);
  std::string_view value;
  ASSERT_EQ(transaction.get("k", value), ReadStatus::absent);
  ASSERT_EQ(transaction.set("k", "new"), WriteStatus::ok);
  ASSERT_EQ(store_.remove_expired(), 1U);
  EXPECT_EQ(transaction.commit({}), CommitStatus::done);
}

// Otherwise one of two entries that end together would be seen alive and the other one gone.
TEST_F(MemoryStoreTest, removal_of_expired_entries_is_noticed_by_who_saw_one_alive) {
  put(space_, "a", clock_.wall_ms() + 100);
  put(space_, "b", clock_.wall_ms() + 100);
  Transaction transaction(store_, space_);
  std::string_view value;
  ASSERT_EQ(transaction.get("a", value), ReadStatus::value);
  clock_.advance_ms(100);
  ASSERT_EQ(store_.remove_expired(), 2U);
  EXPECT_EQ(transaction.get("b", value), ReadStatus::doomed);
}

TEST(TotalUsageTest, growth_beyond_the_limit_is_not_counted) {
  TotalUsage total;
  EXPECT_TRUE(total.try_count({.keys = 1, .bytes = 60}, 100));
  EXPECT_FALSE(total.try_count({.keys = 1, .bytes = 41}, 100));
  EXPECT_EQ(total.keys(), 1U);
  EXPECT_EQ(total.bytes(), 60U);
  EXPECT_TRUE(total.try_count({.keys = 1, .bytes = 40}, 100));
  EXPECT_EQ(total.bytes(), 100U);
  EXPECT_TRUE(total.try_count({.keys = -2, .bytes = -100}, 50)) << "shrinking is always allowed";
  EXPECT_EQ(total.keys(), 0U);
  EXPECT_EQ(total.bytes(), 0U);
}

}  // namespace
}  // namespace helios::kv
