// SPDX-License-Identifier: Apache-2.0
#pragma once

// The RocksDB database of a state directory: how it is opened, and the few calls that the journal makes.
// Private to the module.
//
// Entries are in the default column family, streams in one of their own: records come in their order and never change,
// so the tables that hold them are moved, not written again.
//
// What is written reaches the write-ahead log first. A new log begins only in rotate(), after the old one
// was synced: so what a power failure takes is always the end of what was written, never something in
// between. Both families are moved into tables at the same moments, so that this holds for both together.

#include "base/log.hpp"
#include "base/result.hpp"
#include "kv/rocksdb/log_files.hpp"
#include "kv/rocksdb/open_mode.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv::rocksdb {

struct DatabaseOptions {
  std::string directory;  // of the state; the database is a folder in it
  OpenMode mode = OpenMode::create;
  bool salvage = false;
  std::uint64_t log_bytes = 0;                         // as in DiskJournalOptions
  std::shared_ptr<::rocksdb::FileSystem> file_system;  // null: the real one
};

class Database {
 public:
  // Opens it, or makes it where `mode` says so. `on_failure` is called when something fails in the
  // background, on any thread. Errors: unavailable, not_found, invalid; the message says what to do.
  [[nodiscard]] static base::Result<std::unique_ptr<Database>> open(
      const DatabaseOptions& options, std::function<void(std::string)> on_failure);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Appends to the log and hands it to the operating system. From one thread at a time.
  [[nodiscard]] ::rocksdb::Status write(::rocksdb::WriteBatch& batch);
  // Beside write(), from any thread: what was written before the call is on disk after it. An error is final, also when
  // it was a write's.
  [[nodiscard]] ::rocksdb::Status sync();
  // After write(), on its thread: begins a new log when the present one has grown long.
  [[nodiscard]] ::rocksdb::Status rotate_if_long();

  // The number stored under this key, 0 when there is none.
  [[nodiscard]] base::Result<std::uint64_t> number(std::string_view key);
  [[nodiscard]] bool is_empty();
  // Every entry in order. `visit` returns false at what it cannot read.
  [[nodiscard]] base::Result<void> for_each_entry(
      const std::function<bool(std::string_view key, std::string_view value)>& visit);

  // Makes the family of streams where it is not there. Before anything is written; in a database that is known to
  // be ours.
  [[nodiscard]] ::rocksdb::Status make_streams();
  // The family of streams; null in a directory of format 1, before make_streams().
  [[nodiscard]] ::rocksdb::ColumnFamilyHandle* streams() const { return streams_.get(); }
  // What it holds at this moment. Requires: streams(). Beside write(), from any thread.
  [[nodiscard]] std::unique_ptr<::rocksdb::Iterator> read_streams();
  // The head of each stream, in order. `visit` returns false at what it cannot read.
  [[nodiscard]] base::Result<void> for_each_head(
      const std::function<bool(std::string_view key, std::string_view value)>& visit);

  // What to tell people about a call that failed.
  [[nodiscard]] base::Error explain(const ::rocksdb::Status& status) const;

  // A copy in a folder of its own, below `path`, which exists.
  [[nodiscard]] base::Result<void> copy_to(const std::string& path);

 private:
  class Listener;
  explicit Database(const DatabaseOptions& options)
      : directory_(options.directory), max_log_bytes_(options.log_bytes) {}
  [[nodiscard]] ::rocksdb::Status open_to_write(const ::rocksdb::Options& options);
  [[nodiscard]] ::rocksdb::Status open_to_read(const ::rocksdb::Options& options);
  using Families = std::vector<::rocksdb::ColumnFamilyDescriptor>;
  [[nodiscard]] ::rocksdb::Status find_families(const ::rocksdb::Options& options,
                                                Families& families);
  void take(::rocksdb::DB* db, const std::vector<::rocksdb::ColumnFamilyHandle*>& opened);
  [[nodiscard]] base::Result<void> for_each(
      ::rocksdb::Iterator& at, char tag,
      const std::function<bool(std::string_view key, std::string_view value)>& visit);

  const std::string directory_;
  const std::uint64_t max_log_bytes_;
  std::shared_ptr<LogFiles> logs_;
  std::unique_ptr<::rocksdb::Env> env_;  // has logs_ below it
  std::unique_ptr<::rocksdb::DB> db_;
  std::unique_ptr<::rocksdb::ColumnFamilyHandle> entries_;  // gone before db_
  std::unique_ptr<::rocksdb::ColumnFamilyHandle> streams_;
  ::rocksdb::FileLock* lock_ = nullptr;  // when read only; otherwise the database has its own
  std::uint64_t log_bytes_ = 0;          // written since the last rotation
};

}  // namespace helios::kv::rocksdb
