// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/log_files.hpp"

#include <utility>

namespace helios::kv::rocksdb {

using ::rocksdb::DataVerificationInfo;
using ::rocksdb::IODebugContext;
using ::rocksdb::IOOptions;
using ::rocksdb::IOStatus;
using ::rocksdb::Slice;

// One log. It is appended to beside a sync, as RocksDB allows for files like the real ones; closed it is not.
class LogFiles::File final : public ::rocksdb::FSWritableFileOwnerWrapper {
 public:
  // Requires: the mutex of `logs`.
  File(LogFiles& logs, std::unique_ptr<::rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), logs_(logs) {
    logs_.open_.push_back(this);
  }
  ~File() override {
    const std::scoped_lock lock(logs_.mutex_);
    std::erase(logs_.open_, this);
  }

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return noted(target()->Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const DataVerificationInfo& info,
                  IODebugContext* debug) override {
    return noted(target()->Append(data, options, info, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const std::scoped_lock lock(logs_.mutex_);
    return logs_.note(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const std::scoped_lock lock(logs_.mutex_);
    return logs_.note(target()->Fsync(options, debug));
  }
  // RocksDB closes a log when everything in it is on disk, as it is or in tables.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const std::scoped_lock lock(logs_.mutex_);
    std::erase(logs_.open_, this);
    return logs_.note(target()->Close(options, debug));
  }

  // Requires: the mutex of the logs.
  IOStatus sync() { return target()->Sync({}, nullptr); }

 private:
  IOStatus noted(const IOStatus& status) {
    if (status.ok()) return status;
    const std::scoped_lock lock(logs_.mutex_);
    return logs_.note(status);
  }

  LogFiles& logs_;
};

LogFiles::LogFiles(std::shared_ptr<::rocksdb::FileSystem> below, std::string folder)
    : FileSystemWrapper(std::move(below)), folder_(std::move(folder)) {}

LogFiles::~LogFiles() { first_failure_.PermitUncheckedError(); }

const IOStatus& LogFiles::note(const IOStatus& status) {
  if (!status.ok() && first_failure_.ok()) first_failure_ = status;
  return status;
}

IOStatus LogFiles::sync() {
  const std::scoped_lock lock(mutex_);
  for (File* log : open_) {
    if (!first_failure_.ok()) break;
    note(log->sync());
  }
  if (first_failure_.ok() && !is_folder_synced_) is_folder_synced_ = note(sync_folder()).ok();
  return first_failure_;
}

IOStatus LogFiles::sync_folder() {
  std::unique_ptr<::rocksdb::FSDirectory> folder;
  const IOStatus opened = NewDirectory(folder_, {}, &folder, nullptr);
  if (!opened.ok()) return opened;
  return folder->FsyncWithDirOptions(
      {}, nullptr,
      ::rocksdb::DirFsyncOptions(::rocksdb::DirFsyncOptions::FsyncReason::kNewFileSynced));
}

IOStatus LogFiles::NewWritableFile(const std::string& name, const ::rocksdb::FileOptions& options,
                                   std::unique_ptr<::rocksdb::FSWritableFile>* result,
                                   IODebugContext* debug) {
  const IOStatus made = target()->NewWritableFile(name, options, result, debug);
  if (!made.ok() || !name.ends_with(".log")) return made;
  const std::scoped_lock lock(mutex_);
  is_folder_synced_ = false;
  *result = std::make_unique<File>(*this, std::move(*result));
  return made;
}

}  // namespace helios::kv::rocksdb
