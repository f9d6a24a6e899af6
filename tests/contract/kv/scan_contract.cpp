// SPDX-License-Identifier: Apache-2.0

// Scans inside transactions, and the version and expiry that a read tells: what they show, and what may
// not change until the commit. A key that comes or goes where a transaction has looked is a phantom.

#include "store_contract.hpp"

#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::KeyRange;
using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

constexpr kv::ExpiryMs kSoon = FakeClock::kStartWallMs + 1000;

TEST_P(StoreContract, scan_in_transaction_is_by_prefix_after_a_key_and_in_pages) {
  for (const char* key : {"a", "b:1", "b:2", "b:3", "c"}) put(key, "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction), "a b:1 b:2 b:3 c");
  EXPECT_EQ(keys_of(transaction, {.prefix = "b:"}), "b:1 b:2 b:3");
  EXPECT_EQ(keys_of(transaction, {.prefix = "b:", .after = "b:1"}), "b:2 b:3");
  EXPECT_EQ(keys_of(transaction, {.prefix = "b:", .max_items = 2}), "b:1 b:2 ...");
  EXPECT_EQ(keys_of(transaction, {.prefix = "b:", .after = "b:2", .max_items = 1}), "b:3");
  EXPECT_EQ(keys_of(transaction, {.prefix = "x"}), "");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, scan_in_transaction_stops_before_the_key_that_does_not_fit) {
  for (const char* key : {"aa", "bbbb", "cc"}) put(key, "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction, {.max_bytes = 14, .bytes_per_item = 4}), "aa bbbb ...");
  EXPECT_EQ(keys_of(transaction, {.max_bytes = 13, .bytes_per_item = 4}), "aa ...");
  EXPECT_EQ(keys_of(transaction, {.max_bytes = 5, .bytes_per_item = 4}), " ...");
  EXPECT_EQ(keys_of(transaction, {.max_bytes = 20, .bytes_per_item = 4}), "aa bbbb cc");
}

TEST_P(StoreContract, scan_tells_sizes_and_versions) {
  put("a", "12345");
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction), "a");
  ASSERT_EQ(transaction.set("b", "own"), WriteStatus::ok);
  kv::KeyPage page;
  ASSERT_EQ(transaction.scan({}, page), ReadStatus::value);
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].value_bytes, 5U);
  EXPECT_EQ(page.items[0].stamp.version, item("a")->version);
  EXPECT_EQ(page.items[1].value_bytes, 3U);
  EXPECT_EQ(page.items[1].stamp.version, kv::kOwnWrite);
}

TEST_P(StoreContract, scan_sees_own_writes_and_deletes) {
  for (const char* key : {"b", "d", "f"}) put(key, "v");
  Transaction transaction(store(), space());
  for (const char* key : {"a", "c", "d", "g"})
    ASSERT_EQ(transaction.set(key, "own"), WriteStatus::ok);
  ASSERT_EQ(transaction.erase("b"), WriteStatus::ok);
  ASSERT_EQ(transaction.erase("e"), WriteStatus::ok);
  EXPECT_EQ(keys_of(transaction), "a c d f g");
  EXPECT_EQ(keys_of(transaction, {.max_items = 2}), "a c ...");
  EXPECT_EQ(keys_of(transaction, {.after = "c", .max_items = 3}), "d f g");
  EXPECT_EQ(keys_of(transaction, {.prefix = "c"}), "c");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  Transaction later(store(), space());
  EXPECT_EQ(keys_of(later), "a c d f g");
}

TEST_P(StoreContract, scan_skips_any_number_of_own_deletes) {
  for (int i = 100; i < 120; ++i) put("k" + std::to_string(i), "v");
  Transaction transaction(store(), space());
  for (int i = 100; i < 119; ++i)
    ASSERT_EQ(transaction.erase("k" + std::to_string(i)), WriteStatus::ok);
  EXPECT_EQ(keys_of(transaction, {.max_items = 1}), "k119");
}

TEST_P(StoreContract, scan_does_not_see_what_has_expired) {
  put("a", "v", kSoon);
  put("b", "v");
  clock_.advance_ms(1000);
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction), "b");
}

TEST_P(StoreContract, key_that_came_after_the_scan_is_a_conflict) {
  put("a", "v");
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction), "a");
  ASSERT_EQ(transaction.set("result", "1"), WriteStatus::ok);
  put("b", "phantom");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
  EXPECT_EQ(committed("result"), "-");
}

TEST_P(StoreContract, key_that_came_into_an_empty_scan_is_a_conflict) {
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction, {.prefix = "x"}), "");
  ASSERT_EQ(transaction.set("x1", "mine"), WriteStatus::ok);
  put("x2", "phantom");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, key_that_left_after_the_scan_is_a_conflict) {
  put("a", "v");
  put("b", "v");
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction, {.max_items = 1}), "a ...");
  ASSERT_EQ(transaction.set("result", "1"), WriteStatus::ok);
  remove("b");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, key_on_the_page_that_changed_is_a_conflict) {
  put("a", "v");
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction), "a");
  ASSERT_EQ(transaction.set("result", "1"), WriteStatus::ok);
  put("a", "longer");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, value_that_changed_where_the_scan_did_not_look_is_no_conflict) {
  put("a", "v");
  put("b", "v");
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction, {.prefix = "a"}), "a");
  ASSERT_EQ(transaction.set("result", "1"), WriteStatus::ok);
  put("b", "w");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, key_that_expired_and_came_back_after_the_scan_is_a_conflict) {
  put("other", "v");
  for (int i = 0; i < 40; ++i) put("older" + std::to_string(i), "v", kSoon - 1);
  put("a", "v", kSoon);
  clock_.advance_ms(1000);
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction, {.prefix = "a"}), "");
  ASSERT_EQ(transaction.set("result", "1"), WriteStatus::ok);
  put("a", "again");  // there was an entry still: nothing was inserted
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, scan_of_later_state_after_stale_read_is_doomed) {
  put("a", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "0");
  put("a", "1");
  EXPECT_EQ(keys_of(transaction), "doomed");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, read_of_newer_value_after_stale_scan_is_doomed) {
  put("a", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction), "a");
  put("b", "1");
  EXPECT_EQ(get(transaction, "b"), "doomed");
}

TEST_P(StoreContract, repeated_scan_shows_the_same_or_ends_the_attempt) {
  put("a", "0");
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction), "a");
  EXPECT_EQ(keys_of(transaction), "a");
  put("b", "1");
  EXPECT_EQ(keys_of(transaction), "doomed");
}

TEST_P(StoreContract, scan_alone_is_validated_at_commit) {
  Transaction current(store(), space());
  EXPECT_EQ(keys_of(current), "");
  EXPECT_EQ(commit(current), CommitStatus::done);
  Transaction stale(store(), space());
  EXPECT_EQ(keys_of(stale), "");
  put("a", "v");
  EXPECT_EQ(commit(stale), CommitStatus::conflict);
  stale.reset();
  EXPECT_EQ(keys_of(stale), "a");
  EXPECT_EQ(commit(stale), CommitStatus::done);
}

TEST_P(StoreContract, scan_of_more_keys_than_a_transaction_may_read_fails) {
  make_store({.max_transaction_records = 4});
  for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), "v");
  Transaction transaction(store(), space());
  EXPECT_EQ(keys_of(transaction), "failed");
  EXPECT_EQ(commit(transaction), CommitStatus::failed);
}

TEST_P(StoreContract, find_tells_version_and_expiry) {
  put("k", "v", kSoon);
  Transaction transaction(store(), space());
  ASSERT_EQ(keys_of(transaction), "k");
  ASSERT_EQ(get(transaction, "k"), "v");
  kv::Found found;
  ASSERT_EQ(transaction.find("k", found), ReadStatus::value);
  EXPECT_EQ(found.stamp.version, item("k")->version);
  EXPECT_EQ(found.stamp.expires_at_ms, kSoon);
  ASSERT_EQ(transaction.update("k", "w"), WriteStatus::ok);
  ASSERT_EQ(transaction.find("k", found), ReadStatus::value);
  EXPECT_EQ(found.value, "w");
  EXPECT_EQ(found.stamp.version, kv::kOwnWrite);
  EXPECT_EQ(found.stamp.expires_at_ms, kSoon);
  ASSERT_EQ(transaction.set("k", "x", kSoon + 5), WriteStatus::ok);
  ASSERT_EQ(transaction.find("k", found), ReadStatus::value);
  EXPECT_EQ(found.stamp.expires_at_ms, kSoon + 5);
  EXPECT_EQ(transaction.find("", found), ReadStatus::absent);
  EXPECT_EQ(found.stamp.version, kv::kAbsent);
}

// Each transaction adds a key only while there are fewer than ten: what a lock on rows cannot keep.
TEST_P(StoreContract, concurrent_scans_and_inserts_never_exceed_what_they_count) {
  constexpr std::size_t kMost = 10;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = "k" + std::to_string(thread) + "-" + std::to_string(i);
        transact(space(), [&](Transaction& transaction) {
          kv::KeyPage page;
          if (transaction.scan({.prefix = "k"}, page) != ReadStatus::value) return false;
          return page.items.size() >= kMost || transaction.set(key, "v") == WriteStatus::ok;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().scan(space(), {}).items.size(), kMost);
}

// Two attempts run interleaved beside a plain map; one that commits must have seen the present keys.
TEST_P(StoreContract, random_scans_behave_as_a_map) {
  std::mt19937 random(7);
  const auto below = [&random](int limit) {
    return std::uniform_int_distribution<int>(0, limit - 1)(random);
  };
  std::map<std::string, int> model;
  struct Attempt {
    std::unique_ptr<Transaction> transaction;
    std::map<std::string, bool> writes{};  // false: deleted
    std::string seen{};                    // by the scan, without own writes
    bool has_scanned = false;
  };
  const auto listed = [](const std::map<std::string, int>& state) {
    std::string all;
    for (const auto& [key, value] : state) all += (all.empty() ? "" : " ") + key;
    return all;
  };
  Attempt attempts[2];
  for (Attempt& each : attempts) each.transaction = std::make_unique<Transaction>(store(), space());
  int conflicts = 0;
  for (int step = 0; step < 3000; ++step) {
    SCOPED_TRACE(step);
    Attempt& attempt = attempts[below(2)];
    const std::string key = "k" + std::to_string(below(8));
    const int what = below(10);
    bool is_over = false;
    if (what < 3) {
      std::map<std::string, int> expected = model;
      for (const auto& [name, is_set] : attempt.writes) {
        if (is_set) expected[name] = 0;
        if (!is_set) expected.erase(name);
      }
      const std::string keys = keys_of(*attempt.transaction);
      if (keys == "doomed") {
        EXPECT_TRUE(attempt.has_scanned);
        is_over = true;
      } else {
        if (!attempt.has_scanned) attempt.seen = listed(model);
        if (attempt.seen == listed(model)) {
          EXPECT_EQ(keys, listed(expected));
        }
        attempt.has_scanned = true;
      }
    } else if (what < 7) {
      const bool is_set = below(2) == 0;
      ASSERT_EQ(is_set ? attempt.transaction->set(key, "v") : attempt.transaction->erase(key),
                WriteStatus::ok);
      attempt.writes[key] = is_set;
    } else {
      const bool is_stale = attempt.has_scanned && attempt.seen != listed(model);
      const CommitStatus status = commit(*attempt.transaction);
      if (is_stale) {
        EXPECT_EQ(status, CommitStatus::conflict);
      }
      conflicts += status == CommitStatus::conflict ? 1 : 0;
      if (status == CommitStatus::done) {
        for (const auto& [name, is_set] : attempt.writes) {
          if (is_set) model[name] = 0;
          if (!is_set) model.erase(name);
        }
      }
      is_over = true;
    }
    if (is_over) {
      attempt.transaction->reset();
      attempt.writes.clear();
      attempt.has_scanned = false;
    }
  }
  EXPECT_GT(conflicts, 0);
}

}  // namespace
}  // namespace helios::test
