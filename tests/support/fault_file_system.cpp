// SPDX-License-Identifier: Apache-2.0
#include "support/fault_file_system.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace helios::test {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class FaultFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(FaultFileSystem& system, std::string name, std::unique_ptr<FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), system_(system), name_(std::move(name)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (const IOStatus fault = system_.next(); !fault.ok()) {
      if (system_.is_unplugged_) return fault;
      const Slice half(data.data(), data.size() / 2);
      if (target()->Append(half, options, debug).ok()) system_.note_written(name_, half.size());
      return fault;
    }
    const IOStatus status = target()->Append(data, options, debug);
    if (status.ok()) system_.note_written(name_, data.size());
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*info*/, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return target()->Fsync(options, debug); });
  }
  // May write back early, and promises nothing.
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  // As the destructor would: it may cut what was allocated in advance.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return target()->Close(options, debug);
  }

 private:
  template <typename Sync>
  IOStatus synced(Sync sync) {
    const std::uint64_t bytes = system_.written(name_);
    if (const IOStatus fault = system_.next(); !fault.ok()) return fault;
    const IOStatus status = sync();
    if (status.ok()) system_.note_synced(name_, bytes);
    return status;
  }

  FaultFileSystem& system_;
  const std::string name_;
};

class FaultFileSystem::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(FaultFileSystem& system, std::string name, std::unique_ptr<FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), system_(system), name_(std::move(name)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (const IOStatus fault = system_.next(); !fault.ok()) return fault;
    const IOStatus status = FSDirectoryWrapper::Fsync(options, debug);
    if (status.ok()) system_.note_folder_synced(name_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& /*what*/) override {
    return Fsync(options, debug);
  }

 private:
  FaultFileSystem& system_;
  const std::string name_;
};

void FaultFileSystem::fail_at(std::uint64_t at, Fault fault, bool for_ever) {
  calls_ = 0;
  has_failed_ = false;
  fault_ = fault;
  for_ever_ = for_ever;
  fail_at_ = at;
}

IOStatus FaultFileSystem::next() {
  if (is_unplugged_) return IOStatus::IOError("the plug is pulled");
  const std::uint64_t call = ++calls_;
  const std::uint64_t at = fail_at_;
  if (at == 0 || call < at || (call > at && !for_ever_)) return IOStatus::OK();
  has_failed_ = true;
  return fault_ == Fault::no_space ? IOStatus::NoSpace("planned: no space left on device")
                                   : IOStatus::IOError("planned: input/output error");
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& name,
                                          const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* result,
                                          IODebugContext* debug) {
  if (const IOStatus fault = next(); !fault.ok()) return fault;
  const IOStatus status = target()->NewWritableFile(name, options, result, debug);
  if (!status.ok()) return status;
  {
    const std::scoped_lock lock(mutex_);
    files_[name] = {};
  }
  *result = std::make_unique<File>(*this, name, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::NewDirectory(const std::string& name, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* result,
                                       IODebugContext* debug) {
  const IOStatus status = target()->NewDirectory(name, options, result, debug);
  if (status.ok()) *result = std::make_unique<Directory>(*this, name, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to,
                                     const IOOptions& options, IODebugContext* debug) {
  if (const IOStatus fault = next(); !fault.ok()) return fault;
  const IOStatus status = target()->RenameFile(from, to, options, debug);
  const std::scoped_lock lock(mutex_);
  if (auto node = files_.extract(from); status.ok() && !node.empty()) {
    files_.erase(to);
    node.key() = to;
    // A rename is as good as done here: journaling file systems order it behind what was synced.
    node.mapped().is_named = true;
    files_.insert(std::move(node));
  }
  return status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& name, const IOOptions& options,
                                     IODebugContext* debug) {
  if (const IOStatus fault = next(); !fault.ok()) return fault;
  {
    const std::scoped_lock lock(mutex_);
    files_.erase(name);
  }
  return target()->DeleteFile(name, options, debug);
}

void FaultFileSystem::note_written(const std::string& name, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  files_[name].written += bytes;
}

std::uint64_t FaultFileSystem::written(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  return files_[name].written;
}

void FaultFileSystem::note_synced(const std::string& name, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  files_[name].synced = std::max(files_[name].synced, bytes);
}

void FaultFileSystem::note_folder_synced(const std::string& folder) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, state] : files_) {
    if (std::filesystem::path(name).parent_path() ==
        std::filesystem::path(folder + "/x").parent_path()) {
      state.is_named = true;
    }
  }
}

void FaultFileSystem::lose_unsynced(std::mt19937& random) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, state] : files_) {
    std::error_code error;
    if (!std::filesystem::exists(name, error)) continue;
    if (!state.is_named && state.synced == 0) {
      std::filesystem::remove(name, error);
      continue;
    }
    const std::uint64_t unsynced = state.written - state.synced;
    const std::uint64_t torn = std::uniform_int_distribution<std::uint64_t>(0, unsynced)(random);
    if (unsynced > 0) std::filesystem::resize_file(name, state.synced + torn, error);
  }
  files_.clear();
  is_unplugged_ = false;
}

}  // namespace helios::test
