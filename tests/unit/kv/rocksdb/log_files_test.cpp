// SPDX-License-Identifier: Apache-2.0

// The logs below RocksDB: what a sync covers, and that a failure which one thread heard of is everybody's.

#include "kv/rocksdb/log_files.hpp"

#include "kv/rocksdb/database.hpp"
#include "support/fault_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::rocksdb::Database;
using kv::rocksdb::LogFiles;
using rocksdb::FSWritableFile;

class LogFilesTest : public testing::Test {
 protected:
  std::unique_ptr<FSWritableFile> make(const std::string& name) {
    std::unique_ptr<FSWritableFile> file;
    EXPECT_TRUE(logs_.NewWritableFile(folder_.path() + "/" + name, {}, &file, nullptr).ok());
    return file;
  }
  static bool append(FSWritableFile& file) {
    return file.Append("bytes", rocksdb::IOOptions(), nullptr).ok();
  }
  void fail_next() { disk_->fail_at(1, FaultFileSystem::Fault::io_error, false); }
  // Calls to the disk that `work` makes.
  template <typename Work>
  std::uint64_t calls_of(Work work) {
    const std::uint64_t before = disk_->calls();
    work();
    return disk_->calls() - before;
  }

  TemporaryFolder folder_;
  std::shared_ptr<FaultFileSystem> disk_ = std::make_shared<FaultFileSystem>();
  LogFiles logs_{disk_, folder_.path()};
};

TEST_F(LogFilesTest, every_open_log_is_synced_and_the_folder_once_for_each_new_one) {
  const auto sync = [this] { EXPECT_TRUE(logs_.sync().ok()); };
  EXPECT_EQ(calls_of(sync), 0U);
  const auto first = make("1.log");
  EXPECT_EQ(calls_of(sync), 2U) << "the log and its folder";
  EXPECT_EQ(calls_of(sync), 1U);
  auto second = make("2.log");
  EXPECT_EQ(calls_of(sync), 3U);
  second.reset();
  EXPECT_EQ(calls_of(sync), 1U);
  EXPECT_TRUE(first->Close({}, nullptr).ok());
  EXPECT_EQ(calls_of(sync), 0U);
}

TEST_F(LogFilesTest, other_files_are_not_its_affair) {
  const auto table = make("3.sst");
  fail_next();
  EXPECT_FALSE(append(*table));
  EXPECT_EQ(calls_of([this] { EXPECT_TRUE(logs_.sync().ok()); }), 0U);
}

TEST_F(LogFilesTest, failed_append_fails_each_sync_from_then_on) {
  const auto log = make("1.log");
  fail_next();
  EXPECT_FALSE(append(*log));
  EXPECT_TRUE(logs_.sync().IsIOError());
  EXPECT_EQ(calls_of([this] { EXPECT_TRUE(logs_.sync().IsIOError()); }), 0U);
}

TEST_F(LogFilesTest, failure_that_somebody_else_heard_of_is_not_lost) {
  const auto log = make("1.log");
  ASSERT_TRUE(append(*log));
  fail_next();
  EXPECT_FALSE(log->Sync({}, nullptr).ok());
  ASSERT_TRUE(log->Sync({}, nullptr).ok()) << "the disk says it once";
  EXPECT_TRUE(logs_.sync().IsIOError());
}

TEST_F(LogFilesTest, folder_that_cannot_be_synced_is_a_failure) {
  const auto log = make("1.log");
  disk_->fail_at(2, FaultFileSystem::Fault::io_error, false);
  EXPECT_TRUE(logs_.sync().IsIOError());
  EXPECT_TRUE(logs_.sync().IsIOError());
}

// Threads that sync beside a write, and beside the database's own sync of an old log, when that fails. With
// RocksDB's SyncWAL() this ended the process.
TEST_F(LogFilesTest, failure_beside_running_syncs_is_an_error_of_each) {
  constexpr int kMaxWrites = 400;
  for (std::uint64_t at = 20; at < 60; ++at) {
    SCOPED_TRACE("call " + std::to_string(at) + " fails");
    const TemporaryFolder folder;
    auto opened = Database::open(
        {.directory = folder.path() + "/state", .log_bytes = 500, .file_system = disk_},
        [](const std::string&) {});
    ASSERT_TRUE(opened) << opened.error().message;
    Database& database = **opened;
    ASSERT_TRUE(database.make_streams().ok());
    disk_->fail_at(at, FaultFileSystem::Fault::io_error, false);
    std::vector<std::jthread> syncers;
    for (int i = 0; i < 2; ++i) {
      syncers.emplace_back([&](const std::stop_token& is_over) {
        while (!is_over.stop_requested() && database.sync().ok()) {
        }
      });
    }
    rocksdb::Status status;
    for (int i = 0; i < kMaxWrites && status.ok() && !disk_->has_failed(); ++i) {
      rocksdb::WriteBatch batch;
      ASSERT_TRUE(batch.Put("key", std::string(100, 'v')).ok());
      status = database.write(batch);
      if (status.ok()) status = database.rotate_if_long();
    }
    syncers.clear();
    EXPECT_TRUE(disk_->has_failed());
    disk_->fail_at(0, {}, false);
  }
}

}  // namespace
}  // namespace helios::test
