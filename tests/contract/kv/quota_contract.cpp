// SPDX-License-Identifier: Apache-2.0

// Quotas at their exact borders, at the call and at the commit.

#include "store_contract.hpp"

#include <string>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Transaction;
using kv::WriteStatus;

constexpr std::uint64_t kEntry = kv::entry_bytes(1, 10);  // a key of 1 byte, a value of 10
const std::string kTen(10, 'v');
const std::string kEleven(11, 'v');

TEST_P(StoreContract, value_size_border) {
  kv::Limits limits;
  limits.max_value_bytes = 10;
  make_store(limits);
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("a", kTen), WriteStatus::ok);
  EXPECT_EQ(transaction.set("a", kEleven), WriteStatus::value_too_large);
  EXPECT_EQ(get(transaction, "a"), kTen);
}

TEST_P(StoreContract, key_count_border) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 2;
  make_store(limits);
  put("a", "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("b", "v"), WriteStatus::ok);
  EXPECT_EQ(transaction.set("c", "v"), WriteStatus::namespace_full);
  EXPECT_EQ(transaction.set("b", "w"), WriteStatus::ok) << "counted twice";
  EXPECT_EQ(transaction.set("a", "w"), WriteStatus::ok) << "is there already";
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  // Other namespaces have a count of their own.
  Transaction other(store(), open("other"));
  EXPECT_EQ(other.set("c", "v"), WriteStatus::ok);
}

TEST_P(StoreContract, delete_in_the_same_transaction_makes_room) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 1;
  make_store(limits);
  put("a", "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("b", "v"), WriteStatus::namespace_full);
  ASSERT_EQ(transaction.erase("a"), WriteStatus::ok);
  EXPECT_EQ(transaction.set("b", "v"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(store().usage(space()).keys, 1U);
}

TEST_P(StoreContract, namespace_bytes_border) {
  kv::Limits limits;
  limits.max_bytes_per_namespace = 2 * kEntry;
  make_store(limits);
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("a", kTen), WriteStatus::ok);
  EXPECT_EQ(transaction.set("b", kEleven), WriteStatus::namespace_full);
  EXPECT_EQ(transaction.set("b", kTen), WriteStatus::ok);
  EXPECT_EQ(transaction.set("b", kEleven), WriteStatus::namespace_full);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(store().usage(space()).bytes, 2 * kEntry);

  Transaction more(store(), space());
  EXPECT_EQ(more.set("a", kTen), WriteStatus::ok) << "takes no more than before";
  EXPECT_EQ(more.set("a", kEleven), WriteStatus::namespace_full);
  EXPECT_EQ(more.set("c", ""), WriteStatus::namespace_full);
  EXPECT_EQ(commit(more), CommitStatus::done);
}

TEST_P(StoreContract, total_bytes_border) {
  kv::Limits limits;
  limits.max_total_bytes = 2 * kEntry;
  make_store(limits);
  put("a", kTen);
  kv::Namespace& other = open("other");
  Transaction transaction(store(), other);
  EXPECT_EQ(transaction.set("a", kEleven), WriteStatus::store_full);
  EXPECT_EQ(transaction.set("a", kTen), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(store().total_usage().bytes, 2 * kEntry);
  EXPECT_EQ(store().total_usage().keys, 2U);

  // What one namespace gives back, another may take.
  remove("a");
  EXPECT_EQ(store().total_usage().bytes, kEntry);
  Transaction again(store(), other);
  EXPECT_EQ(again.set("b", kTen), WriteStatus::ok);
  EXPECT_EQ(commit(again), CommitStatus::done);
}

TEST_P(StoreContract, quota_used_up_between_call_and_commit_is_full) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 1;
  make_store(limits);
  Transaction transaction(store(), space());
  ASSERT_EQ(transaction.set("a", "v"), WriteStatus::ok);
  put("b", "v");
  EXPECT_EQ(commit(transaction), CommitStatus::full);
  EXPECT_EQ(committed("a"), "-");
  EXPECT_EQ(committed("b"), "v");
  expect_usage_is_recount(space());
}

TEST_P(StoreContract, total_used_up_between_call_and_commit_is_full_and_counts_nothing) {
  kv::Limits limits;
  limits.max_total_bytes = kEntry;
  make_store(limits);
  Transaction transaction(store(), open("other"));
  ASSERT_EQ(transaction.set("a", kTen), WriteStatus::ok);
  put("b", kTen);
  EXPECT_EQ(commit(transaction), CommitStatus::full);
  EXPECT_EQ(store().total_usage().keys, 1U);
  EXPECT_EQ(store().total_usage().bytes, kEntry);
  remove("b");
  EXPECT_EQ(store().total_usage().bytes, 0U);
  EXPECT_EQ(store().total_usage().keys, 0U);
}

TEST_P(StoreContract, full_namespace_still_takes_deletes_and_smaller_values) {
  kv::Limits limits;
  limits.max_bytes_per_namespace = kEntry;
  make_store(limits);
  put("a", kTen);
  put("a", "v");
  put("a", kTen);
  remove("a");
  EXPECT_EQ(store().usage(space()).bytes, 0U);
}

TEST_P(StoreContract, expired_entries_make_room_when_it_is_needed) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 3;
  make_store(limits);
  for (const char* key : {"a", "b", "c"}) put(key, "v", FakeClock::kStartWallMs + 1000);
  Transaction early(store(), space());
  EXPECT_EQ(early.set("d", "v"), WriteStatus::namespace_full);
  clock_.advance_ms(1000);
  Transaction late(store(), space());
  for (const char* key : {"d", "e", "f"}) EXPECT_EQ(late.set(key, "v"), WriteStatus::ok);
  EXPECT_EQ(commit(late), CommitStatus::done);
  EXPECT_EQ(store().usage(space()).keys, 3U);
}

TEST_P(StoreContract, expired_entries_make_room_at_the_commit_as_many_as_it_takes) {
  constexpr int kKeys = 50;
  kv::Limits limits;
  limits.max_keys_per_namespace = kKeys;
  make_store(limits);
  Transaction transaction(store(), space());
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(transaction.set("new" + std::to_string(i), "v"), WriteStatus::ok);
  }
  for (int i = 0; i < kKeys; ++i) {
    put("old" + std::to_string(i), "v", FakeClock::kStartWallMs + 1000);
  }
  clock_.advance_ms(1000);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(store().usage(space()).keys, static_cast<std::uint64_t>(kKeys));
  expect_usage_is_recount(space());
}

TEST_P(StoreContract, namespace_count_border) {
  kv::Limits limits;
  limits.max_namespaces = 2;
  make_store(limits);  // makes the first
  EXPECT_TRUE(store().open("second"));
  const base::Result<kv::Namespace*> third = store().open("third");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, base::Errc::limit_exceeded);
  EXPECT_TRUE(store().open("second"));
}

TEST_P(StoreContract, transaction_record_border) {
  kv::Limits limits;
  limits.max_transaction_records = 20;
  make_store(limits);
  Transaction transaction(store(), space());
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(transaction.set("w" + std::to_string(i), "v"), WriteStatus::ok);
    ASSERT_EQ(get(transaction, "r" + std::to_string(i)), "-");
  }
  EXPECT_EQ(transaction.set("w20", "v"), WriteStatus::transaction_too_large);
  EXPECT_EQ(transaction.erase("w20"), WriteStatus::transaction_too_large);
  EXPECT_EQ(transaction.set("w19", "w"), WriteStatus::ok);
  EXPECT_EQ(get(transaction, "r19"), "-");
  EXPECT_EQ(get(transaction, "w19"), "w");
  EXPECT_EQ(get(transaction, "r20"), "failed");
  EXPECT_EQ(commit(transaction), CommitStatus::failed);
}

TEST_P(StoreContract, transaction_bytes_border) {
  kv::Limits limits;
  limits.max_transaction_bytes = 2 * kEntry;
  make_store(limits);
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("a", kTen), WriteStatus::ok);
  EXPECT_EQ(transaction.set("b", kEleven), WriteStatus::transaction_too_large);
  EXPECT_EQ(transaction.set("b", kTen), WriteStatus::ok);
  EXPECT_EQ(get(transaction, "c"), "failed");
}

}  // namespace
}  // namespace helios::test
