// SPDX-License-Identifier: Apache-2.0

// What one transaction sees, and when it conflicts with others.

#include "store_contract.hpp"

#include <string>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

TEST_P(StoreContract, open_same_name_twice_is_one_namespace) {
  EXPECT_EQ(&open("other"), &open("other"));
  EXPECT_EQ(open("other").name(), "other");
  EXPECT_EQ(store().find("other"), &open("other"));
}

TEST_P(StoreContract, find_unknown_name_makes_no_namespace) {
  EXPECT_EQ(store().find("nobody"), nullptr);
  EXPECT_EQ(store().namespaces().size(), 1U);
}

TEST_P(StoreContract, namespaces_are_listed_by_name) {
  open("b");
  open("a");
  std::vector<std::string> names;
  for (const kv::Namespace* space : store().namespaces()) names.push_back(space->name());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "subject"}));
}

TEST_P(StoreContract, same_key_in_two_namespaces_is_two_entries) {
  put("k", "mine");
  kv::Namespace& other = open("other");
  Transaction transaction(store(), other);
  EXPECT_EQ(get(transaction, "k"), "-");
  EXPECT_EQ(transaction.set("k", "theirs"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("k"), "mine");
}

TEST_P(StoreContract, get_own_writes_are_read_back) {
  put("k", "old");
  Transaction transaction(store(), space());
  ASSERT_EQ(transaction.set("k", "new"), WriteStatus::ok);
  EXPECT_EQ(get(transaction, "k"), "new");
  ASSERT_EQ(transaction.erase("k"), WriteStatus::ok);
  EXPECT_EQ(get(transaction, "k"), "-");
  ASSERT_EQ(transaction.set("k", "newer"), WriteStatus::ok);
  EXPECT_EQ(get(transaction, "k"), "newer");
  EXPECT_EQ(committed("k"), "old");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("k"), "newer");
}

TEST_P(StoreContract, set_empty_value_is_present) {
  put("k", "");
  EXPECT_EQ(committed("k"), "");
}

TEST_P(StoreContract, keys_and_values_are_bytes) {
  const std::string key("\x00\xff k\x00", 5);
  const std::string value("\x00\x80\n", 3);
  put(key, value);
  EXPECT_EQ(committed(key), value);
  EXPECT_EQ(committed(std::string("\x00\xff k", 4)), "-");
}

TEST_P(StoreContract, dropped_transaction_writes_nothing) {
  {
    Transaction transaction(store(), space());
    ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
  }
  EXPECT_EQ(committed("k"), "-");
}

TEST_P(StoreContract, reset_transaction_starts_again) {
  put("k", "1");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "1");
  ASSERT_EQ(transaction.set("other", "x"), WriteStatus::ok);
  put("k", "2");
  transaction.reset();
  EXPECT_EQ(get(transaction, "k"), "2");
  EXPECT_EQ(get(transaction, "other"), "-");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("other"), "-");
}

TEST_P(StoreContract, commit_of_nothing_is_done) {
  Transaction transaction(store(), space());
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, commit_makes_all_writes_visible_under_one_version) {
  put("gone", "x");
  Transaction transaction(store(), space());
  ASSERT_EQ(transaction.set("a", "1"), WriteStatus::ok);
  ASSERT_EQ(transaction.set("b", "2"), WriteStatus::ok);
  ASSERT_EQ(transaction.erase("gone"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(item("a")->version, item("b")->version);
  EXPECT_FALSE(item("gone"));
}

TEST_P(StoreContract, two_read_modify_writes_of_one_key_exactly_one_wins) {
  put("k", "0");
  Transaction first(store(), space());
  Transaction second(store(), space());
  EXPECT_EQ(get(first, "k"), "0");
  EXPECT_EQ(get(second, "k"), "0");
  ASSERT_EQ(first.set("k", "first"), WriteStatus::ok);
  ASSERT_EQ(second.set("k", "second"), WriteStatus::ok);
  EXPECT_EQ(commit(second), CommitStatus::done);
  EXPECT_EQ(commit(first), CommitStatus::conflict);
  EXPECT_EQ(committed("k"), "second");
}

TEST_P(StoreContract, two_creators_of_one_key_exactly_one_wins) {
  Transaction first(store(), space());
  Transaction second(store(), space());
  EXPECT_EQ(get(first, "k"), "-");
  EXPECT_EQ(get(second, "k"), "-");
  ASSERT_EQ(first.set("k", "first"), WriteStatus::ok);
  ASSERT_EQ(second.set("k", "second"), WriteStatus::ok);
  EXPECT_EQ(commit(first), CommitStatus::done);
  EXPECT_EQ(commit(second), CommitStatus::conflict);
  EXPECT_EQ(committed("k"), "first");
}

TEST_P(StoreContract, write_skew_over_two_keys_exactly_one_wins) {
  put("a", "1");
  put("b", "1");
  Transaction first(store(), space());
  Transaction second(store(), space());
  for (Transaction* transaction : {&first, &second}) {
    EXPECT_EQ(get(*transaction, "a"), "1");
    EXPECT_EQ(get(*transaction, "b"), "1");
  }
  ASSERT_EQ(first.set("a", "0"), WriteStatus::ok);
  ASSERT_EQ(second.set("b", "0"), WriteStatus::ok);
  EXPECT_EQ(commit(first), CommitStatus::done);
  EXPECT_EQ(commit(second), CommitStatus::conflict);
}

TEST_P(StoreContract, blind_writes_never_conflict) {
  Transaction first(store(), space());
  Transaction second(store(), space());
  ASSERT_EQ(first.set("k", "first"), WriteStatus::ok);
  ASSERT_EQ(second.set("k", "second"), WriteStatus::ok);
  EXPECT_EQ(commit(first), CommitStatus::done);
  EXPECT_EQ(commit(second), CommitStatus::done);
  EXPECT_EQ(committed("k"), "second");
}

TEST_P(StoreContract, commit_after_change_of_unrelated_key_is_done) {
  put("k", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "0");
  EXPECT_EQ(get(transaction, "absent"), "-");
  ASSERT_EQ(transaction.set("k", "1"), WriteStatus::ok);
  put("unrelated", "x");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, commit_after_same_bytes_were_written_again_is_conflict) {
  put("k", "same");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "same");
  ASSERT_EQ(transaction.set("result", "x"), WriteStatus::ok);
  put("k", "same");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
  EXPECT_EQ(committed("result"), "-");
}

TEST_P(StoreContract, commit_after_delete_and_recreation_is_conflict) {
  put("k", "same");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "same");
  ASSERT_EQ(transaction.set("k", "x"), WriteStatus::ok);
  remove("k");
  put("k", "same");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, commit_after_read_key_was_deleted_is_conflict) {
  put("k", "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "v");
  ASSERT_EQ(transaction.set("result", "x"), WriteStatus::ok);
  remove("k");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, read_only_commit_is_validated) {
  put("k", "0");
  Transaction current(store(), space());
  EXPECT_EQ(get(current, "k"), "0");
  EXPECT_EQ(commit(current), CommitStatus::done);

  Transaction stale(store(), space());
  EXPECT_EQ(get(stale, "k"), "0");
  put("k", "1");
  EXPECT_EQ(commit(stale), CommitStatus::conflict);
}

TEST_P(StoreContract, read_of_newer_value_after_stale_read_is_doomed) {
  put("a", "0");
  put("b", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "0");
  put("a", "1");
  put("b", "1");
  EXPECT_EQ(get(transaction, "b"), "doomed");
  // It stays so, whatever is asked.
  EXPECT_EQ(get(transaction, "a"), "doomed");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, read_of_newly_absent_key_after_stale_read_is_doomed) {
  put("a", "0");
  put("b", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "0");
  Transaction both(store(), space());
  ASSERT_EQ(both.set("a", "1"), WriteStatus::ok);
  ASSERT_EQ(both.erase("b"), WriteStatus::ok);
  ASSERT_EQ(commit(both), CommitStatus::done);
  EXPECT_EQ(get(transaction, "b"), "doomed");
}

TEST_P(StoreContract, read_of_newer_value_after_current_reads_moves_on) {
  put("a", "0");
  put("b", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "0");
  EXPECT_EQ(get(transaction, "nothing"), "-");
  put("b", "1");
  EXPECT_EQ(get(transaction, "b"), "1");
  ASSERT_EQ(transaction.set("a", "2"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, read_of_unchanged_value_after_stale_read_is_as_of_the_snapshot) {
  put("a", "0");
  put("b", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "0");
  put("a", "1");
  // b is what it was when a was read: consistent, although the attempt cannot commit any more.
  EXPECT_EQ(get(transaction, "b"), "0");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, repeated_read_of_changed_key_is_doomed) {
  put("k", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "0");
  EXPECT_EQ(get(transaction, "k"), "0");
  put("k", "1");
  EXPECT_EQ(get(transaction, "k"), "doomed");
}

TEST_P(StoreContract, repeated_read_of_created_key_is_doomed) {
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "-");
  EXPECT_EQ(get(transaction, "k"), "-");
  put("k", "1");
  EXPECT_EQ(get(transaction, "k"), "doomed");
}

TEST_P(StoreContract, absent_read_survives_creation_and_deletion) {
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "-");
  ASSERT_EQ(transaction.set("result", "x"), WriteStatus::ok);
  put("k", "1");
  remove("k");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, versions_grow_and_are_never_used_twice) {
  kv::Version last = kv::kAbsent;
  for (int round = 0; round < 5; ++round) {
    put("k", "v");
    EXPECT_GT(item("k")->version, last);
    last = item("k")->version;
    remove("k");
  }
  put("another", "v");
  EXPECT_GT(item("another")->version, last);
}

TEST_P(StoreContract, erase_of_nothing_is_ok) {
  remove("k");
  EXPECT_EQ(store().usage(space()).keys, 0U);
}

TEST_P(StoreContract, keys_that_cannot_be_are_refused) {
  kv::Limits limits;
  limits.max_key_bytes = 4;
  make_store(limits);
  Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("", "v"), WriteStatus::invalid_key);
  EXPECT_EQ(transaction.set("12345", "v"), WriteStatus::invalid_key);
  EXPECT_EQ(transaction.erase(""), WriteStatus::invalid_key);
  EXPECT_EQ(transaction.erase("12345"), WriteStatus::invalid_key);
  std::string_view value;
  EXPECT_EQ(transaction.get("", value), ReadStatus::absent);
  EXPECT_EQ(transaction.get("12345", value), ReadStatus::absent);
  EXPECT_TRUE(transaction.reads().empty());
  EXPECT_TRUE(transaction.writes().empty());
  EXPECT_EQ(transaction.set("1234", "v"), WriteStatus::ok);
}

}  // namespace
}  // namespace helios::test
