// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/database.hpp"

#include "kv/rocksdb/stored_entry.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace helios::kv::rocksdb {
namespace {

using ::rocksdb::Status;

constexpr const char* kFolder = "/kv";
constexpr const char* kLockFile = "/LOCK";

// Small, since everything is in memory above: the database is only ever read from end to end.
constexpr std::size_t kBlockCacheBytes = 8 << 20;
// Of the disk, for a log in advance.
constexpr std::uint64_t kPreallocatedBytes = 32ULL << 20;
// Never reached: rotate_if_long() comes first.
constexpr std::size_t kMemtableBytes = 512ULL << 20;

::rocksdb::Options to_rocksdb(const DatabaseOptions& wanted) {
  ::rocksdb::Options options;
  options.create_if_missing = wanted.mode == OpenMode::create;
  options.wal_recovery_mode = wanted.salvage
                                  ? ::rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : ::rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  // After a failure nothing is tried again: see DiskJournal.
  options.max_bgerror_resume_count = 0;
  options.write_buffer_size = kMemtableBytes;
  options.arena_block_size = 1 << 20;
  options.max_total_wal_size = kPreallocatedBytes;  // with one column family it means only that
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = ::rocksdb::kLZ4Compression;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1 << 20;
  options.info_log_level = ::rocksdb::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  ::rocksdb::BlockBasedTableOptions table;
  table.block_cache = ::rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = true;
  options.table_factory.reset(::rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// The folder is made with its parents, for the owner alone.
base::Result<void> make_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  std::filesystem::create_directories(path, error);
  if (!error) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (error) {
    return base::fail(base::Errc::unavailable,
                      "state directory " + path + " cannot be made: " + error.message());
  }
  return {};
}

base::Result<void> find_database(const std::string& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory + kFolder + "/CURRENT", error)) return {};
  if (error) {
    return base::fail(base::Errc::unavailable,
                      "state directory " + directory + " cannot be read: " + error.message());
  }
  if (!std::filesystem::exists(directory, error)) {
    return base::fail(base::Errc::not_found, "state directory " + directory + " does not exist");
  }
  return base::fail(base::Errc::invalid,
                    directory + " is not a state directory: there is no kv/CURRENT in it");
}

// Which other process has the lock; empty when the system does not tell.
std::string holder_of(const std::string& lock_file) {
  const int file = ::open(lock_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool is_known = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  return is_known && lock.l_pid > 0 ? " (process " + std::to_string(lock.l_pid) + ")" : "";
}

base::Error in_use(const std::string& directory, const std::string& by) {
  return {base::Errc::unavailable,
          "state directory " + directory + " is in use by " + by +
              ", and only one process at a time can have it open; a proxy that runs on it is asked "
              "through its admin interface (heliosproxy kv --url ...)"};
}

base::Error explain(const std::string& directory, const Status& status) {
  const std::string what = status.ToString();
  // Not asked who has it when that is this process: closing the file would give the lock back.
  if (status.IsIOError() && what.contains("lock hold by current process"))
    return in_use(directory, "this process");
  if (status.IsIOError() && what.contains("hile lock file"))
    return in_use(directory, "another process" + holder_of(directory + kFolder + kLockFile));
  if (status.IsCorruption()) {
    return {base::Errc::invalid,
            "state directory " + directory + " is damaged (" + what +
                "): restore a backup in its place, or set [state] salvage = true for one start, "
                "which keeps everything before the damage and gives up what comes after it; what "
                "that keeps, heliosproxy kv stats --state " +
                directory + " --salvage tells"};
  }
  return {base::Errc::unavailable, "state directory " + directory + " cannot be opened: " + what};
}

}  // namespace

// Reports what fails in the background, and has nothing repaired behind our back.
class Database::Listener final : public ::rocksdb::EventListener {
 public:
  explicit Listener(std::function<void(std::string)> on_failure)
      : on_failure_(std::move(on_failure)) {}

  void OnBackgroundError(::rocksdb::BackgroundErrorReason /*reason*/, Status* error) override {
    on_failure_(error->ToString());
  }
  void OnErrorRecoveryBegin(::rocksdb::BackgroundErrorReason /*reason*/, Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::function<void(std::string)> on_failure_;
};

base::Result<std::unique_ptr<Database>> Database::open(
    const DatabaseOptions& wanted, std::function<void(std::string)> on_failure) {
  const std::string folder = wanted.directory + kFolder;
  auto found =
      wanted.mode == OpenMode::create ? make_directory(folder) : find_database(wanted.directory);
  if (!found) return std::unexpected(found.error());
  std::unique_ptr<Database> database(new Database(wanted));
  ::rocksdb::Options options = to_rocksdb(wanted);
  if (wanted.file_system) {
    database->env_ = ::rocksdb::NewCompositeEnv(wanted.file_system);
    options.env = database->env_.get();
  }
  options.listeners.push_back(std::make_shared<Listener>(std::move(on_failure)));
  const Status status = wanted.mode == OpenMode::read_only ? database->open_to_read(options)
                                                           : database->open_to_write(options);
  if (!status.ok()) return std::unexpected(explain(wanted.directory, status));
  return database;
}

Status Database::open_to_write(const ::rocksdb::Options& options) {
  ::rocksdb::DB* db = nullptr;
  const Status status = ::rocksdb::DB::Open(options, directory_ + kFolder, &db);
  db_.reset(db);
  return status;
}

// Takes the lock itself, which the database does not do for readers.
Status Database::open_to_read(const ::rocksdb::Options& options) {
  const std::string folder = directory_ + kFolder;
  if (const Status locked = options.env->LockFile(folder + kLockFile, &lock_); !locked.ok()) {
    return locked;
  }
  ::rocksdb::DB* db = nullptr;
  const Status status = ::rocksdb::DB::OpenForReadOnly(options, folder, &db);
  db_.reset(db);
  return status;
}

Database::~Database() {
  if (db_) static_cast<void>(db_->Close());
  db_.reset();
  ::rocksdb::Env* env = env_ ? env_.get() : ::rocksdb::Env::Default();
  if (lock_ != nullptr) static_cast<void>(env->UnlockFile(lock_));
}

Status Database::write(::rocksdb::WriteBatch& batch) {
  log_bytes_ += batch.GetDataSize();
  return db_->Write({}, &batch);
}

Status Database::sync() { return db_->SyncWAL(); }

Status Database::rotate_if_long() {
  if (log_bytes_ < max_log_bytes_) return Status::OK();
  log_bytes_ = 0;
  if (const Status synced = db_->SyncWAL(); !synced.ok()) return synced;
  ::rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  return db_->Flush(options);
}

base::Result<std::uint64_t> Database::number(std::string_view key) {
  std::string bytes;
  const Status status = db_->Get({}, ::rocksdb::Slice(key.data(), key.size()), &bytes);
  if (status.IsNotFound()) return 0;
  if (!status.ok()) return std::unexpected(explain(directory_, status));
  const auto number = to_number(bytes);
  if (!number) {
    return base::fail(base::Errc::invalid, "state directory " + directory_ +
                                               " holds something else under \"" + std::string(key) +
                                               "\": it is not a state directory of this program");
  }
  return *number;
}

bool Database::is_empty() {
  const std::unique_ptr<::rocksdb::Iterator> at(db_->NewIterator({}));
  at->SeekToFirst();
  return !at->Valid() && at->status().ok();
}

base::Result<void> Database::for_each_entry(
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  ::rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 2 << 20;
  const std::unique_ptr<::rocksdb::Iterator> at(db_->NewIterator(options));
  for (at->Seek(::rocksdb::Slice(&kEntryTag, 1)); at->Valid() && at->key()[0] == kEntryTag;
       at->Next()) {
    if (!visit(at->key().ToStringView(), at->value().ToStringView())) {
      return std::unexpected(explain(directory_, Status::Corruption("an entry is malformed")));
    }
  }
  if (!at->status().ok()) return std::unexpected(explain(directory_, at->status()));
  return {};
}

base::Result<void> Database::copy_to(const std::string& path) {
  // A log of any length is copied as it is: a flush would begin a new one out of turn.
  constexpr std::uint64_t kNeverFlush = std::numeric_limits<std::uint64_t>::max();
  ::rocksdb::Checkpoint* made = nullptr;
  Status status = ::rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<::rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path + kFolder, kNeverFlush);
  if (status.ok()) return {};
  return base::fail(status.IsInvalidArgument() ? base::Errc::invalid : base::Errc::unavailable,
                    "backup to " + path + " failed: " + status.ToString());
}

}  // namespace helios::kv::rocksdb
