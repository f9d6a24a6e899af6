// SPDX-License-Identifier: Apache-2.0

// Streams whose oldest records have moved: readers see no difference, whatever happens on the way.

#include "kv/rocksdb/archive.hpp"

#include "disk_fixture.hpp"
#include "kv/rocksdb/archiver.hpp"
#include "support/fault_file_system.hpp"
#include "support/stream_chain.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

namespace helios::test {
namespace {

using kv::RecordNumber;
using kv::Safety;
using kv::rocksdb::Archive;
using kv::rocksdb::Archiver;
using kv::rocksdb::ArchiverOptions;
using testing::HasSubstr;

class ArchiveTest : public DiskFixture {
 protected:
  ArchiveTest() { disk_.options.archive = folder_.path() + "/archive"; }

  void append(const std::string& bytes, std::string_view stream = "log") {
    kv::Transaction transaction(store(), space());
    ASSERT_EQ(transaction.append(stream, bytes), kv::WriteStatus::ok);
    ASSERT_EQ(commit(transaction), kv::CommitStatus::done);
    disk_.wait_until(Safety::handed_over);
  }
  void append_some(int count) {
    for (int i = 0; i < count; ++i) append(std::to_string(i) + std::string(50, '.'));
  }
  kv::StreamPage read(const kv::StreamRange& range = {}, std::string_view stream = "log") {
    disk_.wait_until(Safety::handed_over);
    auto page = store().read_stream(space(), stream, range);
    EXPECT_TRUE(page) << page.error().message;
    if (!page) return {};
    expect_chain(*page);
    return *page;
  }
  // Twelve records that are on disk.
  void begin_in(const std::string& folder) {
    disk_.options.directory = folder + "/state";
    disk_.options.archive = folder + "/archive";
    disk_.open();
    append_some(12);
    disk_.wait_until(Safety::on_disk);
  }
  // Of the stream, in the store: what has not moved.
  kv::StreamExtent live(std::string_view stream = "log") {
    for (const kv::StreamInfo& info : store().streams(space())) {
      if (info.name == stream) return info.extent;
    }
    return {};
  }
  base::Result<void> round(const ArchiverOptions& options) {
    Archiver archiver(store(), disk_.journal(), options, clock_, disk_.log);
    auto done = archiver.run_round();
    EXPECT_EQ(archiver.health().empty(), done.has_value());
    return done;
  }
  std::vector<Archive::Segment> segments(std::string_view stream = "log") {
    return disk_.journal().archive()->segments({"subject", stream});
  }
  // Changes a byte in the middle.
  static void damage(const std::string& path) {
    const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(middle);
    const auto byte = static_cast<char>(file.get() ^ 0xFF);
    file.seekp(middle);
    file.put(byte);
  }

  static constexpr ArchiverOptions kMoveAll{.keep_bytes = 0, .segment_bytes = 1000};

  TemporaryFolder folder_;
};

TEST_F(ArchiveTest, moved_records_are_read_as_before) {
  disk_.open();
  append_some(40);
  const auto before = read();
  ASSERT_TRUE(round(kMoveAll));
  EXPECT_EQ(live().first, 41U);
  EXPECT_EQ(live().bytes, 0U);
  EXPECT_EQ(store().total_usage().stream_bytes, 0U);
  EXPECT_GT(segments().size(), 3U);
  const auto check = [&] {
    const auto after = read();
    EXPECT_EQ(bytes_of(after), bytes_of(before));
    EXPECT_EQ(after.before, kv::first_digest("subject", "log"));
    EXPECT_EQ(after.extent.first, 1U);
    EXPECT_EQ(read({.from = 17}).records.front().number, 17U);
    EXPECT_EQ(read({.from = 17, .max_records = 3}).records.size(), 3U);
  };
  check();
  reopen();
  check();
  append("behind");
  EXPECT_EQ(read().records.back().number, 41U);
  EXPECT_EQ(bytes_of(read({.from = 40})).size(), 2U);
}

TEST_F(ArchiveTest, only_what_is_more_than_the_database_keeps_moves) {
  disk_.open();
  append_some(40);
  const std::uint64_t all = live().bytes;
  ASSERT_TRUE(round({.keep_bytes = all / 2, .segment_bytes = 1000}));
  EXPECT_LE(live().bytes, all / 2);
  EXPECT_GT(live().bytes, all / 4);
  EXPECT_EQ(read().records.size(), 40U);
  ASSERT_TRUE(round({.keep_bytes = all}));
  EXPECT_GT(live().bytes, all / 4) << "nothing more";
}

TEST_F(ArchiveTest, largest_stream_gives_first) {
  disk_.open();
  append("small", "other");
  append_some(10);
  ASSERT_TRUE(round({.keep_bytes = 500, .segment_bytes = 200}));
  EXPECT_EQ(live("other").first, 1U);
  EXPECT_GT(live("log").first, 1U);
}

TEST_F(ArchiveTest, records_move_when_they_are_old) {
  disk_.open();
  const ArchiverOptions options{.move_after_ms = 1000};
  append("old");
  clock_.advance_ms(600);
  append("younger");
  ASSERT_TRUE(round(options));
  EXPECT_EQ(live().first, 1U);
  clock_.advance_ms(401);
  ASSERT_TRUE(round(options));
  EXPECT_EQ(live().first, 2U) << "the second is younger than half of it";
  clock_.advance_ms(1000);
  ASSERT_TRUE(round(options));
  EXPECT_EQ(live().first, 3U);
  EXPECT_EQ(bytes_of(read()), (std::vector<std::string>{"old", "younger"}));
}

TEST_F(ArchiveTest, old_segments_are_removed_when_that_is_wanted) {
  disk_.open();
  append("old");
  ASSERT_TRUE(round(kMoveAll));
  clock_.advance_ms(5000);
  append("new");
  ASSERT_TRUE(round(kMoveAll));
  ASSERT_EQ(segments().size(), 2U);
  ASSERT_TRUE(round({.remove_after_ms = 5001}));
  EXPECT_EQ(segments().size(), 2U);
  ASSERT_TRUE(round({.remove_after_ms = 4999}));
  EXPECT_EQ(segments().size(), 1U);
  const auto page = read();
  EXPECT_EQ(page.extent.first, 2U);
  EXPECT_EQ(bytes_of(page), (std::vector<std::string>{"new"}));
  reopen();
  EXPECT_EQ(bytes_of(read()), (std::vector<std::string>{"new"}));
}

TEST_F(ArchiveTest, records_are_found_by_their_time) {
  disk_.open();
  for (int i = 0; i < 30; ++i) {
    append(std::to_string(i));
    clock_.advance_ms(10);
    if (i == 14) {
      ASSERT_TRUE(round(kMoveAll));
    }
  }
  for (const int i : {0, 1, 7, 13, 14, 15, 16, 29}) {
    const auto page = read({.since_ms = FakeClock::kStartWallMs + i * 10});
    ASSERT_FALSE(page.records.empty());
    EXPECT_EQ(page.records.front().bytes, std::to_string(i));
  }
}

// A process that ended between the segment and taking the records out of the stream.
TEST_F(ArchiveTest, segment_whose_records_are_still_in_the_database_is_taken) {
  disk_.open();
  append_some(20);
  disk_.wait_until(Safety::handed_over);
  const auto added = disk_.journal().archive()->add(
      {.stream = {"subject", "log"},
       .first = 1,
       .before = kv::first_digest("subject", "log"),
       .max_bytes = 500,
       .end = 21,
       .read = [&](RecordNumber from) {
         return disk_.journal().read_stream("subject", "log", {.from = from}, Safety::on_disk);
       }});
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(read().records.size(), 20U);
  reopen();
  EXPECT_EQ(read().records.size(), 20U);
  const auto path = segments().front().path;
  const auto written = std::filesystem::last_write_time(path);
  ASSERT_TRUE(round(kMoveAll));
  EXPECT_EQ(std::filesystem::last_write_time(path), written);
  EXPECT_EQ(read().records.size(), 20U);
}

TEST_F(ArchiveTest, damaged_segment_is_named_and_nothing_is_dropped_for_it) {
  disk_.open();
  append_some(20);
  ASSERT_TRUE(round(kMoveAll));
  const std::string path = segments().front().path;
  damage(path);
  reopen();
  const auto page = store().read_stream(space(), "log", {});
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error().message, HasSubstr(path));
  EXPECT_THAT(page.error().message, HasSubstr("restore it from a copy"));
}

TEST_F(ArchiveTest, segment_that_was_taken_away_leaves_the_rest) {
  disk_.open();
  append_some(30);
  ASSERT_TRUE(round(kMoveAll));
  const auto all = segments();
  ASSERT_GT(all.size(), 2U);
  disk_.close();
  std::filesystem::remove(all[1].path);
  disk_.open();
  const auto page = read();
  EXPECT_EQ(page.extent.first, all[2].first) << "what is before the gap is not shown";
  EXPECT_EQ(page.records.back().number, 30U);
}

TEST_F(ArchiveTest, archive_that_cannot_be_written_drops_nothing) {
  disk_.open();
  append_some(20);
  std::filesystem::remove_all(disk_.options.archive);
  std::ofstream(disk_.options.archive) << "a file";
  const auto failed = round(kMoveAll);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr(disk_.options.archive));
  EXPECT_EQ(disk_.log.count("streams cannot move to the archive"), 1U);
  EXPECT_EQ(read().records.size(), 20U);
  EXPECT_EQ(live().first, 1U);
  std::filesystem::remove(disk_.options.archive);
  ASSERT_TRUE(round(kMoveAll));
  EXPECT_EQ(live().first, 21U);
}

TEST_F(ArchiveTest, round_ends_where_the_journal_is_broken) {
  const auto files = std::make_shared<FaultFileSystem>();
  disk_.options.file_system = files;
  disk_.open();
  append_some(3);
  disk_.wait_until(Safety::on_disk);
  files->fail_at(1, FaultFileSystem::Fault::io_error, true);
  kv::Transaction transaction(store(), space());
  ASSERT_EQ(transaction.append("log", "never written"), kv::WriteStatus::ok);
  static_cast<void>(commit(transaction));
  disk_.wait_until(Safety::on_disk);
  ASSERT_NE(store().health(), "");
  EXPECT_TRUE(round(kMoveAll));
  EXPECT_EQ(live().first, 1U);
  EXPECT_EQ(segments().size(), 0U);
}

TEST_F(ArchiveTest, thread_moves_what_is_too_much) {
  disk_.open();
  Archiver archiver(store(), disk_.journal(), {.keep_bytes = 500, .interval_ms = 1}, clock_,
                    disk_.log);
  archiver.start();
  for (int i = 0; i < 30; ++i) append(std::to_string(i) + std::string(100, '.'));
  while (live().bytes > 500) std::this_thread::yield();
  archiver.stop();
  EXPECT_GT(archiver.stats().records, 0U);
  EXPECT_EQ(read().records.size(), 30U);
}

// Random appends, moves, restarts and readers, beside a vector.
TEST_F(ArchiveTest, whatever_is_done_a_reader_sees_all_records) {
  disk_.open();
  std::mt19937 random(5);
  const auto chance = [&random](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };
  std::vector<std::string> all;
  for (int step = 0; step < 250; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const auto what = chance(9);
    if (what < 5) {
      clock_.advance_ms(static_cast<std::int64_t>(chance(3)));
      all.push_back(std::to_string(step) + std::string(chance(300), 'r'));
      append(all.back());
    } else if (what == 5 && !all.empty()) {
      ASSERT_TRUE(round({.keep_bytes = chance(3000), .segment_bytes = 1 + chance(2000)}));
    } else if (what == 6 && chance(3) == 0) {
      reopen();
    } else {
      const RecordNumber from = 1 + chance(all.size());
      const auto page =
          read({.from = from, .max_records = 1 + chance(40), .max_bytes = 1 + chance(4000)});
      ASSERT_EQ(page.records.empty(), from > all.size());
      for (const kv::StreamRecord& record : page.records)
        ASSERT_EQ(record.bytes, all[record.number - 1]);
      if (from <= all.size()) {
        ASSERT_EQ(page.records.front().number, from);
      }
      ASSERT_EQ(page.extent.next, all.size() + 1);
    }
  }
  EXPECT_EQ(bytes_of(read()), all);
}

// A disk that fails at the k-th call, on the way of records to the archive or of the database.
TEST_F(ArchiveTest, disk_that_fails_at_any_call_loses_nothing) {
  const auto files = std::make_shared<FaultFileSystem>();
  disk_.options.file_system = files;
  bool was_reached = true;
  for (std::uint64_t at = 1; was_reached && !HasFailure(); at += tries_all() ? 1 : 5) {
    SCOPED_TRACE("call " + std::to_string(at) + " fails");
    const TemporaryFolder folder;
    begin_in(folder.path());
    files->fail_at(
        at, at % 2 == 0 ? FaultFileSystem::Fault::no_space : FaultFileSystem::Fault::io_error,
        false);
    static_cast<void>(round({.keep_bytes = 600, .segment_bytes = 400}));
    disk_.close();
    was_reached = files->has_failed();
    files->fail_at(0, {}, false);
    disk_.open();
    EXPECT_EQ(read().records.size(), 12U);
    EXPECT_TRUE(round({.keep_bytes = 600, .segment_bytes = 400}));
    append("and it goes on");
    EXPECT_EQ(read().records.size(), 13U);
    EXPECT_EQ(read().extent.first, 1U);
    disk_.close();
  }
}

// The plug is pulled somewhere on the way.
TEST_F(ArchiveTest, plug_pulled_at_any_call_loses_nothing_that_was_on_disk) {
  const auto files = std::make_shared<FaultFileSystem>();
  disk_.options.file_system = files;
  std::mt19937 random(9);
  bool was_reached = true;
  for (std::uint64_t at = 1; was_reached && !HasFailure(); at += tries_all() ? 1 : 5) {
    SCOPED_TRACE("call " + std::to_string(at) + " is the last");
    const TemporaryFolder folder;
    begin_in(folder.path());
    files->fail_at(at, FaultFileSystem::Fault::io_error, true);
    static_cast<void>(round({.keep_bytes = 600, .segment_bytes = 400}));
    was_reached = files->has_failed();
    files->pull_plug();
    disk_.abandon();
    files->fail_at(0, {}, false);
    files->lose_unsynced(random);
    disk_.open();
    EXPECT_EQ(read().records.size(), 12U);
    EXPECT_TRUE(round({.keep_bytes = 600, .segment_bytes = 400}));
    EXPECT_EQ(read().extent.first, 1U);
    disk_.close();
  }
}

}  // namespace
}  // namespace helios::test
