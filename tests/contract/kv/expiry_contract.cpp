// SPDX-License-Identifier: Apache-2.0

// Entries that end by themselves, and scans.

#include "store_contract.hpp"

#include <string>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Transaction;
using kv::WriteStatus;

constexpr kv::ExpiryMs kSoon = FakeClock::kStartWallMs + 1000;

std::vector<std::string> keys(const kv::ScanPage& page) {
  std::vector<std::string> all;
  for (const kv::Item& item : page.items) all.push_back(item.key);
  return all;
}

using Keys = std::vector<std::string>;

TEST_P(StoreContract, entry_is_gone_exactly_when_its_time_has_come) {
  put("k", "v", kSoon);
  EXPECT_EQ(item("k")->expires_at_ms, kSoon);
  clock_.advance_ms(999);
  EXPECT_EQ(committed("k"), "v");
  EXPECT_TRUE(item("k"));
  clock_.advance_ms(1);
  EXPECT_EQ(committed("k"), "-");
  EXPECT_FALSE(item("k"));
}

TEST_P(StoreContract, set_without_expiry_ends_an_earlier_one) {
  put("k", "v", kSoon);
  put("k", "w");
  clock_.advance_ms(5000);
  EXPECT_EQ(committed("k"), "w");
}

TEST_P(StoreContract, set_with_another_expiry_replaces_the_earlier_one) {
  put("k", "v", kSoon);
  put("k", "w", kSoon + 1000);
  clock_.advance_ms(1500);
  EXPECT_EQ(committed("k"), "w");
  clock_.advance_ms(500);
  EXPECT_EQ(committed("k"), "-");
}

TEST_P(StoreContract, value_that_expired_after_it_was_read_is_no_conflict) {
  put("k", "v", kSoon);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "v");
  ASSERT_EQ(transaction.set("result", "x"), WriteStatus::ok);
  clock_.advance_ms(2000);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, expired_key_that_somebody_set_again_is_conflict) {
  put("k", "v", kSoon);
  clock_.advance_ms(2000);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "-");
  ASSERT_EQ(transaction.set("k", "mine"), WriteStatus::ok);
  put("k", "theirs");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
  EXPECT_EQ(committed("k"), "theirs");
}

TEST_P(StoreContract, expired_key_can_be_created_again_with_a_new_version) {
  put("k", "v", kSoon);
  const kv::Version before = item("k")->version;
  clock_.advance_ms(2000);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "k"), "-");
  ASSERT_EQ(transaction.set("k", "again"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("k"), "again");
  EXPECT_GT(item("k")->version, before);
}

// Two entries that end together must not be seen one alive and one gone.
TEST_P(StoreContract, entries_that_end_together_are_seen_together) {
  put("a", "v", kSoon);
  put("b", "v", kSoon);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "v");
  clock_.advance_ms(2000);
  EXPECT_EQ(get(transaction, "b"), "v");
  EXPECT_EQ(get(transaction, "a"), "v");
}

TEST_P(StoreContract, entries_that_end_together_are_seen_together_despite_removal) {
  put("a", "v", kSoon);
  put("b", "v", kSoon);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "v");
  clock_.advance_ms(2000);
  put("unrelated", "x");  // where expired entries are removed
  const std::string b = get(transaction, "b");
  EXPECT_TRUE(b == "v" || b == "doomed") << b;
}

// Removal reaches only some of what has expired, and the attempt moves on in between.
TEST_P(StoreContract, entries_that_end_together_are_seen_together_despite_other_changes) {
  for (int i = 0; i < 100; ++i) put("older" + std::to_string(i), "v", kSoon - 1);
  put("a", "v", kSoon);
  put("b", "v", kSoon);
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "v");
  clock_.advance_ms(2000);
  put("new", "x");
  const std::string moved_on = get(transaction, "new");
  const std::string b = get(transaction, "b");
  EXPECT_TRUE(moved_on == "doomed" || b == "v" || b == "doomed") << moved_on << ", then " << b;
}

TEST_P(StoreContract, transaction_that_moved_on_sees_what_has_expired_meanwhile) {
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "absent"), "-");
  put("k", "v", kSoon);
  clock_.advance_ms(2000);
  EXPECT_EQ(get(transaction, "k"), "-");
}

TEST_P(StoreContract, wall_clock_that_jumps_ahead_ends_nothing_early) {
  put("k", "v", store().now_ms() + 1000);
  clock_.set_wall_ms(FakeClock::kStartWallMs + 3'600'000);
  EXPECT_EQ(committed("k"), "v");
  EXPECT_TRUE(item("k"));
  put("fresh", "v", store().now_ms() + 1000);
  clock_.advance_ms(999);
  EXPECT_EQ(committed("k"), "v");
  clock_.advance_ms(1);
  EXPECT_EQ(committed("k"), "-");
  EXPECT_EQ(committed("fresh"), "-");
}

TEST_P(StoreContract, wall_clock_that_jumps_back_prolongs_nothing) {
  put("k", "v", store().now_ms() + 1000);
  clock_.set_wall_ms(FakeClock::kStartWallMs - 3'600'000);
  put("fresh", "v", store().now_ms() + 1000);
  clock_.advance_ms(999);
  EXPECT_EQ(committed("k"), "v");
  EXPECT_EQ(committed("fresh"), "v");
  clock_.advance_ms(1);
  EXPECT_EQ(committed("k"), "-");
  EXPECT_EQ(committed("fresh"), "-");
  put("last", "v");
  EXPECT_EQ(store().usage(space()).keys, 1U);
}

TEST_P(StoreContract, time_of_the_store_begins_with_the_wall_clock_and_never_goes_back) {
  EXPECT_EQ(store().now_ms(), FakeClock::kStartWallMs);
  clock_.advance_ms(10);
  clock_.set_wall_ms(0);
  EXPECT_EQ(store().now_ms(), FakeClock::kStartWallMs + 10);
  clock_.advance_ns(999'999);
  EXPECT_EQ(store().now_ms(), FakeClock::kStartWallMs + 10);
  clock_.advance_ns(1);
  EXPECT_EQ(store().now_ms(), FakeClock::kStartWallMs + 11);
}

TEST_P(StoreContract, clock_that_jumps_back_brings_no_conflict_and_no_old_value_of_a_set_key) {
  put("k", "v", kSoon);
  clock_.advance_ms(2000);
  put("k", "w");
  clock_.set_wall_ms(FakeClock::kStartWallMs - 1'000'000);
  EXPECT_EQ(committed("k"), "w");
  put("k", "x", store().now_ms() + 1000);
  EXPECT_EQ(committed("k"), "x");
}

TEST_P(StoreContract, expired_entries_leave_the_usage_when_the_namespace_is_written) {
  for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), "v", kSoon);
  clock_.advance_ms(2000);
  put("fresh", "v");
  EXPECT_EQ(store().usage(space()).keys, 1U);
  expect_usage_is_recount(space());
}

TEST_P(StoreContract, scan_is_in_bytewise_key_order) {
  for (const char* key : {"b", "a", "\xff", "A", "aa"}) put(key, "v");
  EXPECT_EQ(keys(store().scan(space(), {})), (Keys{"A", "a", "aa", "b", "\xff"}));
}

TEST_P(StoreContract, scan_shows_value_version_and_expiry) {
  put("k", "v", kSoon);
  const kv::ScanPage page = store().scan(space(), {});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].value, "v");
  EXPECT_NE(page.items[0].version, kv::kAbsent);
  EXPECT_EQ(page.items[0].expires_at_ms, kSoon);
  EXPECT_TRUE(page.complete);
}

TEST_P(StoreContract, scan_of_prefix_shows_only_keys_that_begin_so) {
  for (const char* key : {"a", "a:", "a:1", "a:2", "a;", "b:1"}) put(key, "v");
  EXPECT_EQ(keys(store().scan(space(), {.prefix = "a:"})), (Keys{"a:", "a:1", "a:2"}));
  EXPECT_TRUE(store().scan(space(), {.prefix = "c"}).items.empty());
}

TEST_P(StoreContract, scan_after_key_starts_behind_it) {
  for (const char* key : {"a", "b:", "b:1", "b:2", "c"}) put(key, "v");
  EXPECT_EQ(keys(store().scan(space(), {.after = "b:"})), (Keys{"b:1", "b:2", "c"}));
  EXPECT_EQ(keys(store().scan(space(), {.after = "b:0"})), (Keys{"b:1", "b:2", "c"}));
  EXPECT_EQ(keys(store().scan(space(), {.prefix = "b:", .after = "b:"})), (Keys{"b:1", "b:2"}));
  EXPECT_EQ(keys(store().scan(space(), {.prefix = "b:", .after = "a"})),
            (Keys{"b:", "b:1", "b:2"}));
  EXPECT_TRUE(store().scan(space(), {.prefix = "b:", .after = "c"}).items.empty());
}

TEST_P(StoreContract, scan_that_reaches_a_limit_is_incomplete) {
  for (const char* key : {"a", "b", "c"}) put(key, "123456789");
  const kv::ScanPage by_items = store().scan(space(), {.max_items = 2});
  EXPECT_EQ(keys(by_items), (Keys{"a", "b"}));
  EXPECT_FALSE(by_items.complete);
  EXPECT_TRUE(store().scan(space(), {.max_items = 3}).complete);

  const kv::ScanPage by_bytes = store().scan(space(), {.max_bytes = 20});
  EXPECT_EQ(keys(by_bytes), (Keys{"a", "b"}));
  EXPECT_FALSE(by_bytes.complete);
  EXPECT_TRUE(store().scan(space(), {.max_bytes = 30}).complete);
  EXPECT_EQ(keys(store().scan(space(), {.max_bytes = 1})), (Keys{"a"}));
}

TEST_P(StoreContract, scan_is_complete_when_only_expired_entries_are_left) {
  put("a", "v");
  put("b", "v", kSoon);
  clock_.advance_ms(2000);
  const kv::ScanPage page = store().scan(space(), {.max_items = 1});
  EXPECT_EQ(keys(page), Keys{"a"});
  EXPECT_TRUE(page.complete);
}

TEST_P(StoreContract, scan_page_by_page_shows_every_key_once) {
  Keys expected;
  for (int i = 100; i < 150; ++i) {
    put("k" + std::to_string(i), "v");
    expected.push_back("k" + std::to_string(i));
  }
  Keys seen;
  for (bool complete = false; !complete;) {
    const std::string after = seen.empty() ? "" : seen.back();
    const kv::ScanPage page = store().scan(space(), {.after = after, .max_items = 7});
    for (const std::string& key : keys(page)) seen.push_back(key);
    complete = page.complete;
  }
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace helios::test
