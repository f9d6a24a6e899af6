// SPDX-License-Identifier: Apache-2.0

// Streams in a directory: what is there again, in which class; what bounds them; what damage does.

#include "disk_fixture.hpp"
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/stored_entry.hpp"
#include "kv/rocksdb/stored_record.hpp"
#include "support/stream_chain.hpp"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Durability;
using kv::Safety;
using kv::WriteStatus;
using testing::HasSubstr;
using Bytes = std::vector<std::string>;

class DiskStreams : public DiskFixture {
 protected:
  DiskStreams() { disk_.open(); }

  CommitStatus append(std::string_view stream, std::string_view bytes,
                      std::string_view name = "subject") {
    kv::Transaction transaction(store(), space(name));
    const WriteStatus status = transaction.append(stream, bytes);
    EXPECT_EQ(status, WriteStatus::ok);
    return commit(transaction);
  }
  kv::StreamPage read(std::string_view stream, const kv::StreamRange& range = {},
                      std::string_view name = "subject") {
    disk_.wait_until(Safety::handed_over);
    auto page = store().read_stream(space(name), stream, range);
    EXPECT_TRUE(page) << page.error().message;
    expect_chain(*page);
    return *page;
  }
  // What stands in the database under `key`, behind the back of everybody.
  void overwrite(const std::string& key, const std::string& value) {
    disk_.close();
    kv::rocksdb::DatabaseOptions wanted;
    wanted.directory = disk_.options.directory;
    const auto database = kv::rocksdb::Database::open(wanted, [](auto) {});
    ASSERT_TRUE(database);
    ::rocksdb::WriteBatch batch;
    ASSERT_TRUE(batch.Put((*database)->streams(), key, value).ok());
    ASSERT_TRUE((*database)->write(batch).ok());
  }
  static std::string key_of(char tag, kv::RecordNumber number = 0) {
    std::string key(1, tag);
    kv::rocksdb::put_stream(key, "subject", "log");
    if (number != 0) kv::rocksdb::put_number(key, number);
    return key;
  }
};

TEST_F(DiskStreams, records_are_read_back_with_numbers_times_and_digests) {
  append("log", "first");
  clock_.advance_ms(5);
  append("log", std::string("\0\xff", 2));
  append("log", "");
  const auto page = read("log");
  EXPECT_EQ(bytes_of(page), (Bytes{"first", std::string("\0\xff", 2), ""}));
  EXPECT_EQ(page.before, kv::first_digest("subject", "log"));
  EXPECT_EQ(page.records[1].number, 2U);
  EXPECT_EQ(page.records[1].time_ms, FakeClock::kStartWallMs + 5);
}

TEST_F(DiskStreams, chain_goes_on_after_a_restart) {
  for (int i = 0; i < 5; ++i) append("log", std::to_string(i));
  reopen();
  append("log", "5");
  disk_.abandon();
  disk_.open();
  append("log", "6");
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"0", "1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(store().streams(space())[0].extent, read("log").extent);
}

TEST_F(DiskStreams, usage_is_what_is_there_after_a_restart) {
  append("log", "12345");
  append("other", "1", "another");
  const auto before = store().total_usage().stream_bytes;
  EXPECT_EQ(before, kv::record_bytes(5) + kv::record_bytes(1));
  reopen();
  EXPECT_EQ(store().total_usage().stream_bytes, before);
  EXPECT_EQ(store().usage(space()).stream_bytes, kv::record_bytes(5));
  EXPECT_EQ(store().usage(space()).keys, 0U);
}

TEST_F(DiskStreams, keys_and_records_of_a_transaction_come_together) {
  kv::Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set("k", "1"), WriteStatus::ok);
  EXPECT_EQ(transaction.append("log", "a"), WriteStatus::ok);
  EXPECT_EQ(transaction.append("audit", "b"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  reopen();
  EXPECT_EQ(content(), (Content{{"k", "1"}}));
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"a"}));
  EXPECT_EQ(bytes_of(read("audit")), (Bytes{"b"}));
}

TEST_F(DiskStreams, names_that_begin_alike_stay_apart) {
  for (const char* name : {"a", "ab", "b"}) append("log", name, name);
  for (const char* name : {"l", "lo", "log.1"}) append(name, name, "a");
  for (const char* name : {"a", "ab", "b"})
    EXPECT_EQ(bytes_of(read("log", {}, name)), (Bytes{name}));
  for (const char* name : {"l", "lo", "log.1"})
    EXPECT_EQ(bytes_of(read(name, {}, "a")), (Bytes{name}));
}

TEST_F(DiskStreams, streams_of_a_namespace_in_memory_are_on_disk) {
  disk_.close();
  disk_.durabilities.by_name["subject"] = Durability::memory;
  disk_.open();
  put("k", "1");
  append("log", "1");
  disk_.wait_until(Safety::handed_over);
  reopen();
  EXPECT_EQ(content(), Content{});
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"1"}));
  store().prefer_durability(space(), Durability::memory);
  append("log", "2");
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"1", "2"})) << "entries are forgotten, records are not";
}

TEST_F(DiskStreams, strict_append_is_on_disk_when_it_is_done) {
  disk_.close();
  disk_.durabilities.standard = Durability::strict;
  disk_.open();
  EXPECT_EQ(append("log", "1"), CommitStatus::done);
  EXPECT_GE(disk_.journal().reached(Safety::on_disk), 1U);
  EXPECT_EQ(bytes_of(*store().read_stream(space(), "log", {})), (Bytes{"1"}));
}

TEST_F(DiskStreams, disk_is_bounded_over_all_streams) {
  store().set_limits({.max_stream_bytes = 3 * kv::record_bytes(10)});
  for (int i = 0; i < 3; ++i) append("log", "1234567890", i == 0 ? "another" : "subject");
  kv::Transaction transaction(store(), space());
  EXPECT_EQ(transaction.append("log", "1"), WriteStatus::store_full);
  EXPECT_EQ(transaction.set("k", "entries go on"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  reopen();
  store().set_limits({.max_stream_bytes = 3 * kv::record_bytes(10)});
  kv::Transaction again(store(), space());
  EXPECT_EQ(again.append("log", "1"), WriteStatus::store_full);
}

TEST_F(DiskStreams, who_lets_begin_leaves_room_for_the_end) {
  store().set_limits({.max_stream_bytes = 160 * kv::record_bytes(10)});
  const auto append_one = [&](kv::Reserve reserve) {
    kv::Transaction transaction(store(), space());
    const auto status = transaction.append("log", "1234567890", reserve);
    return status == WriteStatus::ok ? commit(transaction) : CommitStatus::full;
  };
  int begun = 0;
  while (begun < 200 && append_one(kv::Reserve::leave) == CommitStatus::done) ++begun;
  EXPECT_EQ(begun, 150);
  int ended = 0;
  while (ended < 200 && append_one(kv::Reserve::use) == CommitStatus::done) ++ended;
  EXPECT_EQ(ended, 10);
}

TEST_F(DiskStreams, room_that_others_took_meanwhile_is_missed_at_commit) {
  store().set_limits({.max_stream_bytes = kv::record_bytes(10)});
  kv::Transaction late(store(), space());
  EXPECT_EQ(late.append("log", "1234567890"), WriteStatus::ok);
  EXPECT_EQ(late.set("k", "1"), WriteStatus::ok);
  append("log", "123456789.");
  EXPECT_EQ(commit(late), CommitStatus::full);
  EXPECT_EQ(content(), Content{});
  EXPECT_EQ(store().total_usage().stream_bytes, kv::record_bytes(10));
}

TEST_F(DiskStreams, pages_and_times_over_many_tables) {
  disk_.close();
  disk_.options.log_bytes = 3000;
  disk_.open();
  const auto start = FakeClock::kStartWallMs;
  for (int i = 1; i <= 500; ++i) {
    clock_.set_wall_ms(start + i * 10);
    append("log", std::to_string(i));
    append("noise", "n");
  }
  kv::RecordNumber next = 1;
  while (next <= 500) {
    const auto page = read("log", {.from = next, .max_records = 77});
    ASSERT_FALSE(page.records.empty());
    ASSERT_EQ(page.records.front().number, next);
    next = page.records.back().number + 1;
  }
  EXPECT_EQ(next, 501U);
  for (const int at : {1, 250, 499, 500}) {
    const auto page = read("log", {.since_ms = start + at * 10 - 5, .max_records = 1});
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.records[0].bytes, std::to_string(at));
  }
  EXPECT_TRUE(read("log", {.since_ms = start + 5001}).records.empty());
}

TEST_F(DiskStreams, readers_beside_a_writer_see_a_chain_without_gaps) {
  std::atomic<bool> is_over = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      kv::RecordNumber seen = 0;
      while (!is_over) {
        const auto page =
            store().read_stream(space(), "log", {.from = seen + 1, .max_records = 50});
        ASSERT_TRUE(page);
        expect_chain(*page);
        if (!page->records.empty()) seen = page->records.back().number;
      }
    });
  }
  for (int i = 0; i < 2000; ++i) append("log", std::to_string(i));
  is_over = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(read("log", {.max_records = 5000}).records.size(), 2000U);
}

TEST_F(DiskStreams, numbers_of_several_threads_have_no_gap) {
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 300; ++i) append("log", std::to_string(writer) + " " + std::to_string(i));
    });
  }
  for (auto& writer : writers) writer.join();
  const auto page = read("log");
  ASSERT_EQ(page.records.size(), 900U);
  std::array<int, 3> next{};
  for (const auto& record : page.records) {
    const auto writer = static_cast<std::size_t>(record.bytes[0] - '0');
    EXPECT_EQ(record.bytes.substr(2), std::to_string(next.at(writer)++))
        << "each writer's own order";
  }
}

TEST_F(DiskStreams, backup_has_everything_committed_before_it) {
  append("log", "1");
  const TemporaryFolder copies;
  const std::string copy = copies.path() + "/copy";
  ASSERT_TRUE(store().backup(copy));
  append("log", "2");
  disk_.close();
  disk_.options.directory = copy;
  disk_.open();
  append("log", "3");
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"1", "3"}));
}

TEST_F(DiskStreams, directory_that_is_only_read_shows_its_streams) {
  append("log", "1");
  disk_.close();
  disk_.options.mode = kv::rocksdb::OpenMode::read_only;
  disk_.open();
  EXPECT_EQ(bytes_of(*store().read_stream(space(), "log", {})), (Bytes{"1"}));
  kv::Transaction transaction(store(), space());
  EXPECT_EQ(transaction.append("log", "2"), WriteStatus::failed);
}

// What format 1 is: no family of streams.
TEST_F(DiskStreams, directory_of_format_1_is_read_as_it_is_and_gets_streams_when_it_is_written) {
  put("k", "1");
  disk_.close();
  {
    ::rocksdb::DB* db = nullptr;
    std::vector<::rocksdb::ColumnFamilyHandle*> families;
    const ::rocksdb::Options options;
    ASSERT_TRUE(::rocksdb::DB::Open(options, disk_.options.directory + "/kv",
                                    {{"default", options}, {"streams", options}}, &families, &db)
                    .ok());
    ASSERT_TRUE(db->DropColumnFamily(families[1]).ok());
    const kv::rocksdb::Number one = kv::rocksdb::to_bytes(1);
    ASSERT_TRUE(db->Put({}, std::string(kv::rocksdb::kFormatKey), {one.data(), one.size()}).ok());
    for (auto* family : families) delete family;
    delete db;
  }
  disk_.options.mode = kv::rocksdb::OpenMode::read_only;
  disk_.open();
  EXPECT_EQ(content(), (Content{{"k", "1"}}));
  EXPECT_TRUE(read("log").records.empty());
  disk_.abandon();
  disk_.options.mode = kv::rocksdb::OpenMode::create;
  disk_.open();
  EXPECT_EQ(content(), (Content{{"k", "1"}}));
  append("log", "1");
  reopen();
  EXPECT_EQ(bytes_of(read("log")), (Bytes{"1"}));
}

TEST_F(DiskStreams, end_that_is_not_that_of_the_chain_refuses_the_start) {
  append("log", "1");
  append("log", "2");
  overwrite(key_of(kv::rocksdb::kRecordTag, 2),
            std::string(kv::rocksdb::kRecordHeadBytes, 'x') + "forged");
  EXPECT_THAT(complaint(), HasSubstr("the end of a stream is not that of its chain"));
}

TEST_F(DiskStreams, malformed_head_refuses_the_start) {
  append("log", "1");
  overwrite(key_of(kv::rocksdb::kHeadTag), "short");
  EXPECT_THAT(complaint(), HasSubstr("is damaged"));
}

TEST_F(DiskStreams, malformed_record_is_named_where_it_is_read) {
  for (const char* bytes : {"1", "2", "3"}) append("log", bytes);
  overwrite(key_of(kv::rocksdb::kRecordTag, 2), "short");
  disk_.open();
  const auto page = store().read_stream(space(), "log", {});
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error().message, HasSubstr("record 2 of a stream is missing or malformed"));
  EXPECT_TRUE(store().read_stream(space(), "log", {.from = 1, .max_records = 1}));
}

}  // namespace
}  // namespace helios::test
