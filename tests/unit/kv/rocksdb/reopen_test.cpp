// SPDX-License-Identifier: Apache-2.0

// What is there again after the store was closed and opened.

#include "disk_fixture.hpp"

#include <filesystem>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Durability;
using kv::Safety;

class Reopen : public DiskFixture {
 protected:
  Reopen() { disk_.open(); }
};

TEST_F(Reopen, entries_come_back_as_they_were) {
  put("a", "1");
  put("b", std::string("\0\xff", 2), FakeClock::kStartWallMs + 1000);
  put("c", "");
  const auto before = item("b");
  reopen();
  EXPECT_EQ(content(), (Content{{"a", "1"}, {"b", std::string("\0\xff", 2)}, {"c", ""}}));
  EXPECT_EQ(item("b").version, before.version);
  EXPECT_EQ(item("b").expires_at_ms, before.expires_at_ms);
}

TEST_F(Reopen, what_was_deleted_stays_away) {
  put("a", "1");
  put("b", "2");
  erase("a");
  reopen();
  EXPECT_EQ(content(), (Content{{"b", "2"}}));
}

TEST_F(Reopen, end_while_tables_are_being_written_is_no_failure) {
  constexpr int kRounds = 20;
  disk_.options.log_bytes = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    reopen();
    for (int i = 0; i < 3; ++i) put("k" + std::to_string(i), std::string(20'000, 'v'));
  }
  reopen();
  EXPECT_EQ(content().size(), 3U);
  EXPECT_EQ(disk_.log.count("state cannot be written any more"), 0U);
}

TEST_F(Reopen, namespaces_stay_apart) {
  put("k", "x", kv::kNeverExpires, "one");
  put("k", "y", kv::kNeverExpires, "two");
  put("k", "z", kv::kNeverExpires, "one.more");
  reopen();
  EXPECT_EQ(content("one"), (Content{{"k", "x"}}));
  EXPECT_EQ(content("two"), (Content{{"k", "y"}}));
  EXPECT_EQ(content("one.more"), (Content{{"k", "z"}}));
}

TEST_F(Reopen, versions_are_never_used_again) {
  put("a", "1");
  const auto first = item("a").version;
  erase("a");
  reopen();
  put("a", "1");
  EXPECT_GT(item("a").version, first + 1);
}

TEST_F(Reopen, versions_are_never_used_again_after_an_end_without_a_word) {
  put("a", "1", kv::kNeverExpires, "memory");
  put("a", "1");
  const auto first = item("a").version;
  disk_.abandon();
  disk_.open();
  put("b", "1");
  EXPECT_GT(item("b").version, first + (kv::Version{1} << 30));
  EXPECT_LT(item("b").version, kv::Version{1} << 53) << "consoles count in doubles";
}

TEST_F(Reopen, orderly_restarts_use_up_no_versions) {
  put("a", "1");
  for (int i = 0; i < 3; ++i) reopen();
  put("a", "2");
  EXPECT_EQ(item("a").version, 2U);
}

TEST_F(Reopen, usage_is_what_is_there) {
  put("a", "12345");
  put("bb", "1", FakeClock::kStartWallMs + 10);
  reopen();
  EXPECT_EQ(store().usage(space()).keys, 2U);
  EXPECT_EQ(store().usage(space()).bytes, kv::entry_bytes(1, 5) + kv::entry_bytes(2, 1));
  EXPECT_EQ(store().total_usage().bytes, store().usage(space()).bytes);
}

TEST_F(Reopen, entry_that_expired_meanwhile_is_absent) {
  put("a", "1", FakeClock::kStartWallMs + 1000);
  put("b", "2");
  disk_.close();
  clock_.advance_ms(1000);
  disk_.open();
  EXPECT_EQ(content(), (Content{{"b", "2"}}));
}

TEST_F(Reopen, entry_that_was_removed_for_its_age_does_not_return_when_the_clock_jumps_back) {
  put("a", "1", FakeClock::kStartWallMs + 1000);
  clock_.advance_ms(2000);
  EXPECT_EQ(store().remove_expired(), 1U);
  disk_.wait_until(Safety::handed_over);
  disk_.close();
  clock_.set_wall_ms(FakeClock::kStartWallMs);
  disk_.open();
  EXPECT_EQ(content(), Content{});
}

// While a process runs, what passes counts; what the wall clock says counts when the next one starts.
TEST_F(Reopen, entry_lives_as_long_as_the_wall_clock_says_at_the_start) {
  put("short", "1", store().now_ms() + 1000);
  put("long", "2", store().now_ms() + 10'000);
  clock_.advance_ms(400);
  reopen();
  clock_.advance_ms(599);
  EXPECT_EQ(content(), (Content{{"long", "2"}, {"short", "1"}}));
  clock_.advance_ms(1);
  EXPECT_EQ(content(), (Content{{"long", "2"}}));
  disk_.close();
  clock_.set_wall_ms(FakeClock::kStartWallMs + 9'999);  // nine seconds without a process
  disk_.open();
  EXPECT_EQ(content(), (Content{{"long", "2"}}));
  clock_.advance_ms(1);
  EXPECT_EQ(content(), Content{});
}

TEST_F(Reopen, correction_of_the_wall_clock_counts_from_the_next_start) {
  constexpr std::int64_t kHourMs = 3'600'000;
  for (const std::int64_t jump_ms : {kHourMs, -kHourMs}) {
    SCOPED_TRACE(jump_ms);
    const std::int64_t before_ms = clock_.wall_ms();
    reopen();
    put("k", "1", store().now_ms() + 2 * kHourMs);
    clock_.set_wall_ms(before_ms + jump_ms);
    clock_.advance_ms(kHourMs / 2);
    EXPECT_EQ(content(), (Content{{"k", "1"}}))
        << "half an hour has passed, whatever the clock says";
    reopen();
    clock_.advance_ms(kHourMs * 3 / 2 - jump_ms - 1);
    EXPECT_EQ(content(), (Content{{"k", "1"}}));
    clock_.advance_ms(1);
    EXPECT_EQ(content(), Content{});
  }
}

TEST_F(Reopen, update_keeps_its_expiry_on_disk) {
  put("a", "1", FakeClock::kStartWallMs + 1000);
  kv::Transaction transaction(store(), space());
  std::string_view value;
  ASSERT_EQ(transaction.get("a", value), kv::ReadStatus::value);
  ASSERT_EQ(transaction.update("a", "2"), kv::WriteStatus::ok);
  ASSERT_EQ(commit(transaction), CommitStatus::done);
  reopen();
  EXPECT_EQ(item("a").value, "2");
  EXPECT_EQ(item("a").expires_at_ms, FakeClock::kStartWallMs + 1000);
}

TEST_F(Reopen, memory_class_is_forgotten) {
  disk_.durabilities.by_name["passing"] = Durability::memory;
  reopen();
  put("a", "1", kv::kNeverExpires, "passing");
  put("b", "2");
  reopen();
  EXPECT_EQ(content("passing"), Content{});
  EXPECT_EQ(content(), (Content{{"b", "2"}}));
}

TEST_F(Reopen, namespace_that_becomes_memory_keeps_its_entries_for_one_run) {
  put("a", "1");
  disk_.durabilities.by_name["subject"] = Durability::memory;
  reopen();
  EXPECT_EQ(content(), (Content{{"a", "1"}}));
  EXPECT_EQ(disk_.log.count("namespace subject is kept in memory only from now on"), 1U);
  reopen();
  EXPECT_EQ(content(), Content{});
}

TEST_F(Reopen, class_that_a_plugin_asks_for_counts_where_the_configuration_is_silent) {
  store().prefer_durability(space(), Durability::strict);
  EXPECT_EQ(store().durability(space()), Durability::strict);
  disk_.durabilities.by_name["subject"] = Durability::relaxed;
  reopen();
  store().prefer_durability(space(), Durability::memory);
  EXPECT_EQ(store().durability(space()), Durability::relaxed);
}

TEST_F(Reopen, class_that_changes_at_run_time_takes_the_entries_along) {
  disk_.durabilities.standard = Durability::memory;
  reopen();
  put("a", "1");
  store().prefer_durability(space(), Durability::strict);
  put("b", "2");
  disk_.abandon();
  disk_.durabilities.standard = Durability::relaxed;
  disk_.open();
  EXPECT_EQ(content(), (Content{{"a", "1"}, {"b", "2"}}));
  store().prefer_durability(space(), Durability::memory);
  reopen();
  EXPECT_EQ(content(), Content{});
}

TEST_F(Reopen, strict_commit_is_on_disk_when_it_is_answered) {
  store().prefer_durability(space(), Durability::strict);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(put("k" + std::to_string(i), "v"), CommitStatus::done);
    EXPECT_GE(disk_.journal().reached(Safety::on_disk), kv::Ticket(i + 1));
  }
}

TEST_F(Reopen, reader_of_a_strict_namespace_waits_for_what_it_saw) {
  store().prefer_durability(space(), Durability::strict);
  kv::Transaction writer(store(), space());
  ASSERT_EQ(writer.set("k", "v"), kv::WriteStatus::ok);
  std::promise<CommitStatus> written;
  const auto status = writer.commit([&](CommitStatus end) { written.set_value(end); });
  kv::Transaction reader(store(), space());
  std::string_view value;
  ASSERT_EQ(reader.get("k", value), kv::ReadStatus::value);
  EXPECT_EQ(commit(reader), CommitStatus::done);
  EXPECT_GE(disk_.journal().reached(Safety::on_disk), reader.ticket());
  if (status == CommitStatus::pending) {
    EXPECT_EQ(written.get_future().get(), CommitStatus::done);
  }
}

TEST_F(Reopen, relaxed_commit_has_a_ticket_to_wait_for) {
  kv::Transaction transaction(store(), space());
  ASSERT_EQ(transaction.set("k", "v"), kv::WriteStatus::ok);
  ASSERT_EQ(commit(transaction), CommitStatus::done);
  ASSERT_NE(transaction.ticket(), kv::kNoTicket);
  std::promise<bool> kept;
  const auto on_kept = [&]() -> kv::OnReached {
    return [&](bool reached) { kept.set_value(reached); };
  };
  switch (store().when_kept(transaction.ticket(), on_kept)) {
    case kv::WaitStatus::reached: break;
    case kv::WaitStatus::pending: EXPECT_TRUE(kept.get_future().get()); break;
    case kv::WaitStatus::failed: FAIL();
  }
  EXPECT_GE(store().kept(), transaction.ticket());
}

TEST_F(Reopen, relaxed_writes_are_synced_without_being_asked) {
  disk_.options.sync_interval_ms = 1;
  reopen();
  put("k", "v");
  disk_.wait_until(Safety::on_disk);
  EXPECT_GE(disk_.journal().stats().syncs, 1U);
}

TEST_F(Reopen, backup_of_a_running_store_can_be_started_on) {
  TemporaryFolder elsewhere;
  const std::string path = elsewhere.path() + "/backup";
  put("a", "1");
  ASSERT_TRUE(store().backup(path));
  put("a", "2");
  EXPECT_FALSE(store().backup(path)) << "it exists";
  disk_.close();
  disk_.options.directory = path;
  disk_.open();
  EXPECT_EQ(content(), (Content{{"a", "1"}}));
  put("b", "3");
  reopen();
  EXPECT_EQ(content(), (Content{{"a", "1"}, {"b", "3"}}));
}

TEST_F(Reopen, backup_is_for_its_owner_alone) {
  namespace fs = std::filesystem;
  TemporaryFolder elsewhere;
  const std::string path = elsewhere.path() + "/backup";
  put("a", "1");
  reopen();  // a table, which the backup may have as a link
  put("b", "2");
  ASSERT_TRUE(store().backup(path));
  const fs::perms others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const fs::perms found = entry.status().permissions();
    EXPECT_EQ(found & others, fs::perms::none) << entry.path();
    EXPECT_EQ(found, entry.is_directory() ? fs::perms::owner_all
                                          : fs::perms::owner_read | fs::perms::owner_write)
        << entry.path();
  }
}

// More than a log's worth, so that logs are begun and memory is flushed to tables on the way.
TEST_F(Reopen, large_values_and_many_logs_come_back) {
  const std::string value(60'000, 'x');
  Content expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i % 300);
    const std::string unlike = std::to_string(i) + value;
    put(key, unlike);
    expected[key] = unlike;
  }
  disk_.abandon();
  disk_.open();
  EXPECT_EQ(content(), expected);
}

}  // namespace
}  // namespace helios::test
