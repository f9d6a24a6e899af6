// SPDX-License-Identifier: Apache-2.0

// Streams of a store without a directory: numbers, chain, transactions, and the ring that they are there.

#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_journal.hpp"
#include "support/stream_chain.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Transaction;
using kv::WriteStatus;
using Bytes = std::vector<std::string>;

class Streams : public testing::Test {
 protected:
  void limit(const kv::Limits& limits) { store_.set_limits(limits); }
  CommitStatus append(std::string_view stream, std::string_view bytes) {
    Transaction transaction(store_, space_);
    const WriteStatus status = transaction.append(stream, bytes);
    EXPECT_EQ(status, WriteStatus::ok);
    return transaction.commit({});
  }
  kv::StreamPage read(std::string_view stream, const kv::StreamRange& range = {}) {
    auto page = store_.read_stream(space_, stream, range);
    EXPECT_TRUE(page);
    expect_chain(*page);
    return *page;
  }

  FakeClock clock_;
  kv::MemoryStore store_{{}, clock_};
  kv::Namespace& space_{**store_.open("subject")};
};

TEST_F(Streams, records_come_in_the_order_of_commits_with_numbers_from_one) {
  for (const char* bytes : {"a", "", "c"}) EXPECT_EQ(append("log", bytes), CommitStatus::done);
  const auto page = read("log");
  EXPECT_EQ(bytes_of(page), (Bytes{"a", "", "c"}));
  EXPECT_EQ(page.records[0].number, 1U);
  EXPECT_EQ(page.extent.next, 4U);
  EXPECT_EQ(page.extent.bytes, 2 * kv::record_bytes(1) + kv::record_bytes(0));
  EXPECT_EQ(store_.usage(space_).stream_bytes, page.extent.bytes);
  EXPECT_EQ(store_.total_usage().stream_bytes, page.extent.bytes);
}

// The formula that auditors are given, with a value that sha256sum has computed.
TEST_F(Streams, digest_is_sha256_of_the_digest_before_and_the_bytes) {
  append("log", "hello");
  const auto page = read("log");
  EXPECT_EQ(base::to_hex(page.before), base::to_hex(kv::first_digest("subject", "log")));
  EXPECT_EQ(base::to_hex(kv::first_digest("subject", "log")),
            "a2864fc45e6434b6eb42e4b8919bd7f2a89039edc6e07576493eb77d6fbdc387");
  EXPECT_EQ(base::to_hex(page.records[0].digest),
            "b5309bf01ad1297de13d88bad8eaaa88f396a3b1092b1f2f97814597867a056a");
}

TEST_F(Streams, chains_of_two_streams_differ_though_their_records_are_the_same) {
  append("one", "x");
  append("two", "x");
  EXPECT_NE(read("one").records[0].digest, read("two").records[0].digest);
}

TEST_F(Streams, transaction_appends_and_writes_all_or_nothing) {
  Transaction loser(store_, space_);
  std::string_view value;
  EXPECT_EQ(loser.get("k", value), kv::ReadStatus::absent);
  EXPECT_EQ(loser.append("log", "lost"), WriteStatus::ok);
  Transaction winner(store_, space_);
  EXPECT_EQ(winner.set("k", "1"), WriteStatus::ok);
  EXPECT_EQ(winner.append("log", "first"), WriteStatus::ok);
  EXPECT_EQ(winner.append("log", "second"), WriteStatus::ok);
  EXPECT_EQ(winner.commit({}), CommitStatus::done);
  EXPECT_EQ(loser.commit({}), CommitStatus::conflict);
  append("log", "third");
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"first", "second", "third"}))
      << "and no number is missing";
}

TEST_F(Streams, transactions_that_only_append_never_conflict) {
  Transaction one(store_, space_);
  Transaction two(store_, space_);
  EXPECT_EQ(one.append("log", "1"), WriteStatus::ok);
  EXPECT_EQ(two.append("log", "2"), WriteStatus::ok);
  EXPECT_EQ(two.commit({}), CommitStatus::done);
  EXPECT_EQ(one.commit({}), CommitStatus::done);
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"2", "1"}));
}

TEST_F(Streams, transaction_that_is_dropped_or_reset_appends_nothing) {
  {
    Transaction dropped(store_, space_);
    EXPECT_EQ(dropped.append("log", "1"), WriteStatus::ok);
  }
  Transaction reset(store_, space_);
  EXPECT_EQ(reset.append("log", "2"), WriteStatus::ok);
  EXPECT_FALSE(reset.is_untouched());
  reset.reset();
  EXPECT_TRUE(reset.is_untouched());
  EXPECT_EQ(reset.commit({}), CommitStatus::done);
  EXPECT_TRUE(read("log").records.empty());
  EXPECT_TRUE(store_.streams(space_).empty());
}

TEST_F(Streams, appends_wait_while_another_one_has_the_namespace) {
  std::unique_ptr<kv::Exclusivity> held;
  store_.request_exclusive(space_, [&](auto granted) { held = std::move(granted); });
  Transaction transaction(store_, space_);
  EXPECT_EQ(transaction.append("log", "1"), WriteStatus::ok);
  CommitStatus end = CommitStatus::pending;
  EXPECT_EQ(transaction.commit([&](CommitStatus status) { end = status; }), CommitStatus::pending);
  held.reset();
  EXPECT_EQ(end, CommitStatus::done);
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"1"}));
}

TEST_F(Streams, names_sizes_and_numbers_are_limited) {
  limit({.max_record_bytes = 10, .max_streams_per_namespace = 2});
  Transaction transaction(store_, space_);
  for (const char* name : {"", ".a", "a/b", "\xc3\xa4"})
    EXPECT_EQ(transaction.append(name, ""), WriteStatus::invalid_key) << name;
  EXPECT_EQ(transaction.append(std::string(65, 'a'), ""), WriteStatus::invalid_key);
  EXPECT_EQ(transaction.append("one", "12345678901"), WriteStatus::value_too_large);
  EXPECT_EQ(transaction.append("one", "1234567890"), WriteStatus::ok);
  EXPECT_EQ(transaction.append("two", ""), WriteStatus::ok);
  EXPECT_EQ(transaction.append("three", ""), WriteStatus::namespace_full);
  EXPECT_EQ(transaction.append("one", ""), WriteStatus::ok);
  EXPECT_EQ(transaction.commit({}), CommitStatus::done);
  EXPECT_EQ(bytes_of(read("one")), (Bytes{"1234567890", ""}));
}

TEST_F(Streams, streams_that_others_made_meanwhile_count) {
  limit({.max_streams_per_namespace = 2});
  Transaction late(store_, space_);
  EXPECT_EQ(late.append("late", "x"), WriteStatus::ok);
  append("one", "1");
  append("two", "2");
  EXPECT_EQ(late.commit({}), CommitStatus::full);
  EXPECT_EQ(store_.streams(space_).size(), 2U);
}

TEST_F(Streams, what_one_transaction_appends_is_limited) {
  limit({.max_transaction_bytes = 2 * kv::record_bytes(100)});
  Transaction transaction(store_, space_);
  EXPECT_EQ(transaction.append("log", std::string(100, 'x')), WriteStatus::ok);
  EXPECT_EQ(transaction.append("log", std::string(100, 'x')), WriteStatus::ok);
  EXPECT_EQ(transaction.append("log", ""), WriteStatus::transaction_too_large);
}

TEST_F(Streams, oldest_records_of_the_largest_stream_make_room) {
  limit({.max_ring_bytes = 10 * kv::record_bytes(100)});
  append("quiet", std::string(100, 'q'));
  for (int i = 0; i < 50; ++i) append("busy", std::to_string(i) + std::string(98, '.'));
  EXPECT_EQ(read("quiet").records.size(), 1U);
  const auto page = read("busy");
  EXPECT_EQ(page.extent.first, 42U);
  EXPECT_EQ(page.extent.next, 51U);
  EXPECT_EQ(page.records.front().number, 42U);
  EXPECT_EQ(store_.usage(space_).stream_bytes, store_.total_usage().stream_bytes);
  EXPECT_LE(store_.usage(space_).stream_bytes, 10 * kv::record_bytes(100));
}

TEST_F(Streams, record_larger_than_the_ring_is_the_only_one) {
  limit({.max_ring_bytes = 100});
  append("log", "first");
  append("log", std::string(1000, 'x'));
  EXPECT_EQ(read("log").records.size(), 1U);
  EXPECT_EQ(read("log").records[0].number, 2U);
}

TEST_F(Streams, pages_go_on_where_the_last_one_ended) {
  for (int i = 1; i <= 7; ++i) append("log", std::string(static_cast<std::size_t>(i), 'x'));
  EXPECT_EQ(read("log", {.from = 3, .max_records = 2}).records.front().number, 3U);
  EXPECT_EQ(read("log", {.from = 3, .max_records = 2}).records.size(), 2U);
  EXPECT_EQ(read("log", {.from = 4, .max_bytes = 9}).records.size(), 2U);
  EXPECT_EQ(read("log", {.from = 7, .max_bytes = 1}).records.size(), 1U) << "paging gets on";
  EXPECT_TRUE(read("log", {.from = 8}).records.empty());
  EXPECT_TRUE(read("log", {.from = 100}).records.empty());
  EXPECT_EQ(read("log", {.from = 0}).records.size(), 7U);
  EXPECT_EQ(read("log", {.from = 3}).before, read("log").records[1].digest);
}

TEST_F(Streams, times_never_go_back_and_can_be_searched) {
  const auto start = FakeClock::kStartWallMs;
  for (const std::int64_t at : {0, 10, 5, 20, 20, 40}) {
    clock_.set_wall_ms(start + at);
    append("log", "x");
  }
  std::vector<std::int64_t> times;
  for (const auto& record : read("log").records) times.push_back(record.time_ms - start);
  EXPECT_EQ(times, (std::vector<std::int64_t>{0, 10, 10, 20, 20, 40}));
  const auto first_since = [&](std::int64_t at) {
    const auto page = read("log", {.since_ms = start + at});
    return page.records.empty() ? 0 : page.records.front().number;
  };
  EXPECT_EQ(first_since(-5), 1U);
  EXPECT_EQ(first_since(10), 2U);
  EXPECT_EQ(first_since(11), 4U);
  EXPECT_EQ(first_since(40), 6U);
  EXPECT_EQ(first_since(41), 0U);
}

// Whoever appends waits for a disk that is slow, in every class: what waits to be written is bounded by that.
TEST(StreamsWithAJournal, append_waits_while_the_journal_is_behind) {
  for (const auto durability : {kv::Durability::memory, kv::Durability::relaxed}) {
    FakeClock clock;
    ManualJournal journal;
    kv::MemoryStore store({}, clock);
    store.attach(journal, {.standard = durability});
    journal.fall_behind();
    Transaction transaction(store, **store.open("subject"));
    EXPECT_EQ(transaction.append("log", "1"), WriteStatus::ok);
    CommitStatus end = CommitStatus::pending;
    EXPECT_EQ(transaction.commit([&](CommitStatus status) { end = status; }),
              CommitStatus::pending);
    EXPECT_EQ(transaction.ticket(), journal.last());
    journal.reach(journal.last());
    EXPECT_EQ(end, CommitStatus::done);
  }
}

TEST(StreamsWithAJournal, append_that_a_broken_journal_did_not_keep_has_failed) {
  FakeClock clock;
  ManualJournal journal;
  kv::MemoryStore store({}, clock);
  store.attach(journal, {.standard = kv::Durability::strict});
  Transaction transaction(store, **store.open("subject"));
  EXPECT_EQ(transaction.append("log", "1"), WriteStatus::ok);
  CommitStatus end = CommitStatus::pending;
  EXPECT_EQ(transaction.commit([&](CommitStatus status) { end = status; }), CommitStatus::pending);
  journal.break_down();
  EXPECT_EQ(end, CommitStatus::failed);
  Transaction late(store, **store.open("subject"));
  EXPECT_EQ(late.append("log", "2"), WriteStatus::failed);
}

TEST_F(Streams, namespaces_have_streams_of_their_own) {
  append("log", "mine");
  kv::Namespace& other = **store_.open("other");
  EXPECT_TRUE(store_.streams(other).empty());
  EXPECT_TRUE(store_.read_stream(other, "log", {})->records.empty());
}

}  // namespace
}  // namespace helios::test
