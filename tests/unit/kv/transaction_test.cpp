// SPDX-License-Identifier: Apache-2.0

// What is particular to Transaction itself; its behaviour with a store is in tests/contract/kv.

#include "kv/transaction.hpp"

#include "kv/memory_store.hpp"
#include "support/allocation_counter.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace helios::kv {
namespace {

class TransactionTest : public testing::Test {
 protected:
  void put(std::string_view key, std::string_view value) {
    Transaction transaction(store_, space_);
    ASSERT_EQ(transaction.set(key, value), WriteStatus::ok);
    ASSERT_EQ(transaction.commit({}), CommitStatus::done);
  }

  test::FakeClock clock_;
  MemoryStore store_{{}, clock_};
  Namespace& space_ = **store_.open("subject");
};

TEST_F(TransactionTest, reads_and_writes_are_recorded_once_per_key) {
  put("k", "v");
  Transaction transaction(store_, space_);
  std::string_view value;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(transaction.get("k", value), ReadStatus::value);
    EXPECT_EQ(transaction.get("absent", value), ReadStatus::absent);
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(transaction.set("k", "w"), WriteStatus::ok);
  ASSERT_EQ(transaction.reads().size(), 2U);
  EXPECT_NE(transaction.reads()[0].version, kAbsent);
  EXPECT_EQ(transaction.reads()[1].version, kAbsent);
  ASSERT_EQ(transaction.writes().size(), 1U);
  EXPECT_EQ(transaction.writes()[0].value, "w");
}

TEST_F(TransactionTest, own_write_is_read_back_without_a_read_record) {
  Transaction transaction(store_, space_);
  ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
  std::string_view value;
  EXPECT_EQ(transaction.get("k", value), ReadStatus::value);
  EXPECT_TRUE(transaction.reads().empty());
}

TEST_F(TransactionTest, write_bytes_follow_every_change) {
  Transaction transaction(store_, space_);
  ASSERT_EQ(transaction.set("k", "12345"), WriteStatus::ok);
  EXPECT_EQ(transaction.write_bytes(), entry_bytes(1, 5));
  ASSERT_EQ(transaction.set("k", "1"), WriteStatus::ok);
  EXPECT_EQ(transaction.write_bytes(), entry_bytes(1, 1));
  ASSERT_EQ(transaction.erase("k"), WriteStatus::ok);
  EXPECT_EQ(transaction.write_bytes(), entry_bytes(1, 0));
  transaction.reset();
  EXPECT_EQ(transaction.write_bytes(), 0U);
}

TEST_F(TransactionTest, value_read_may_be_an_argument_of_the_next_call) {
  put("start", "b");
  put("b", "c");
  put("c", "end");
  Transaction transaction(store_, space_);
  std::string_view value;
  ASSERT_EQ(transaction.get("start", value), ReadStatus::value);
  ASSERT_EQ(transaction.get(value, value), ReadStatus::value);
  ASSERT_EQ(transaction.get(value, value), ReadStatus::value);
  EXPECT_EQ(value, "end");
  EXPECT_EQ(transaction.reads()[2].key, "c");

  // Its own writes too, while the list of writes grows under them.
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(transaction.set("w" + std::to_string(i), value), WriteStatus::ok);
    ASSERT_EQ(transaction.get("w" + std::to_string(i), value), ReadStatus::value);
  }
  EXPECT_EQ(value, "end");
  ASSERT_EQ(transaction.set("w0", value.substr(1)), WriteStatus::ok);
  ASSERT_EQ(transaction.get("w0", value), ReadStatus::value);
  ASSERT_EQ(transaction.set("w0", value.substr(1)), WriteStatus::ok);
  ASSERT_EQ(transaction.get("w0", value), ReadStatus::value);
  EXPECT_EQ(value, "d");
}

TEST_F(TransactionTest, absent_key_leaves_no_value_behind) {
  put("k", "v");
  Transaction transaction(store_, space_);
  std::string_view value;
  ASSERT_EQ(transaction.get("k", value), ReadStatus::value);
  EXPECT_EQ(transaction.get("absent", value), ReadStatus::absent);
  EXPECT_EQ(value, "");
}

TEST_F(TransactionTest, reused_transaction_that_updates_entries_allocates_nothing) {
  const std::string key = "tenant:acme:usage";  // too long for the string's own space
  const std::string other = "tenant:acme:config:windows";
  const std::string value(200, 'v');
  put(key, value);
  put(other, value);
  Transaction transaction(store_, space_);
  const auto run = [&] {
    std::string_view seen;
    ASSERT_EQ(transaction.get(key, seen), ReadStatus::value);
    ASSERT_EQ(transaction.get(other, seen), ReadStatus::value);
    ASSERT_EQ(transaction.set(key, value), WriteStatus::ok);
    ASSERT_EQ(transaction.commit([](CommitStatus) {}), CommitStatus::done);
    transaction.reset();
  };
  for (int i = 0; i < 3; ++i) run();
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 100; ++i) run();
  EXPECT_EQ(test::allocation_count(), before);
}

TEST_F(TransactionTest, charges_are_recorded_once_per_key_and_not_as_reads) {
  Transaction transaction(store_, space_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(transaction.charge("c", CounterCharge{.amount = 1, .limit = 9}).status,
              ChargeStatus::made);
  }
  EXPECT_TRUE(transaction.reads().empty());
  EXPECT_TRUE(transaction.writes().empty());
  ASSERT_EQ(transaction.charges().size(), 1U);
  EXPECT_EQ(transaction.charges()[0].steps.size(), 3U);
  EXPECT_EQ(transaction.write_bytes(), entry_bytes(1, 8));
  EXPECT_FALSE(transaction.is_untouched());
  transaction.reset();
  EXPECT_TRUE(transaction.is_untouched());
}

TEST_F(TransactionTest, reused_transaction_that_charges_allocates_nothing) {
  const std::string key = "tenant:acme:spent:minute";  // too long for the string's own space
  Transaction transaction(store_, space_);
  const auto run = [&] {
    for (int i = 0; i < 3; ++i)
      ASSERT_EQ(transaction.charge(key, CounterCharge{.amount = 1, .limit = 1'000'000}).status,
                ChargeStatus::made);
    ASSERT_EQ(transaction.commit([](CommitStatus) {}), CommitStatus::done);
    transaction.reset();
  };
  for (int i = 0; i < 3; ++i) run();
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 100; ++i) run();
  EXPECT_EQ(test::allocation_count(), before);
}

}  // namespace
}  // namespace helios::kv
