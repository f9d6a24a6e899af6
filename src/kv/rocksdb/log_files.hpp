// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files of the write-ahead log, as RocksDB writes them and as the journal syncs them. Private to the module.
//
// RocksDB's own SyncWAL() is not used: in release 7.8 it ends the process, by an assertion that Debian's package
// keeps, when it meets a log for which a write, or the sync of another thread, has just failed. Here the first
// failure is noted before anyone else can use the file, and every sync() from then on reports it. That also keeps a
// failure that the kernel tells only once (fsync(2)) from being lost to the thread that happened to hear of it.

#include <rocksdb/file_system.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace helios::kv::rocksdb {

// A file system that passes everything on to the one below it, and knows which logs are open. Thread rule: any thread.
class LogFiles final : public ::rocksdb::FileSystemWrapper {
 public:
  // `folder` is where the logs are. `below` is the real file system, or one for tests.
  LogFiles(std::shared_ptr<::rocksdb::FileSystem> below, std::string folder);
  ~LogFiles() override;

  // After it, what was written to any log before the call is on disk, and so are the names of the logs. Blocks for
  // as long as the disk takes. An error is final: each later call returns it again.
  [[nodiscard]] ::rocksdb::IOStatus sync();

  const char* Name() const override { return "LogFiles"; }
  ::rocksdb::IOStatus NewWritableFile(const std::string& name,
                                      const ::rocksdb::FileOptions& options,
                                      std::unique_ptr<::rocksdb::FSWritableFile>* result,
                                      ::rocksdb::IODebugContext* debug) override;

 private:
  class File;
  // Returns `status`, and keeps it where it is the first failure. Requires: mutex_.
  const ::rocksdb::IOStatus& note(const ::rocksdb::IOStatus& status);
  ::rocksdb::IOStatus sync_folder();

  const std::string folder_;
  std::mutex mutex_;  // held during each sync; guards what follows
  std::vector<File*> open_;
  bool is_folder_synced_ = true;  // since the last log was made
  ::rocksdb::IOStatus first_failure_;
};

}  // namespace helios::kv::rocksdb
