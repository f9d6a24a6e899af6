// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file system below RocksDB, with a disk that fails and a plug that can be pulled.
//
// Every call that changes something is counted: creating, appending, syncing, renaming, deleting. The k-th
// can be made to fail, once or with all behind it; an append that fails has written its first half. After
// pull_plug() nothing changes any more; lose_unsynced() then takes from each file what was not synced, but
// for a torn piece, and files whose folder was not synced since they were made.

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace helios::test {

// Thread rule: any thread, but lose_unsynced(), for when nobody uses the file system.
class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  enum class Fault { io_error, no_space };

  // Counts from now on; `at` = 0: never.
  void fail_at(std::uint64_t at, Fault fault, bool for_ever);
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }

  void pull_plug() { is_unplugged_ = true; }
  void lose_unsynced(std::mt19937& random);

  const char* Name() const override { return "FaultFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class File;
  class Directory;
  struct FileState {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
    bool is_named = false;  // its folder was synced since it was made
  };

  // Counts one call, and says whether it fails.
  [[nodiscard]] rocksdb::IOStatus next();
  void note_written(const std::string& name, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t written(const std::string& name);
  void note_synced(const std::string& name, std::uint64_t bytes);
  void note_folder_synced(const std::string& folder);

  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::uint64_t> fail_at_ = 0;
  std::atomic<bool> for_ever_ = false;
  std::atomic<Fault> fault_ = Fault::io_error;
  std::atomic<bool> has_failed_ = false;
  std::atomic<bool> is_unplugged_ = false;
  std::mutex mutex_;  // guards files_
  std::map<std::string, FileState> files_;
};

}  // namespace helios::test
