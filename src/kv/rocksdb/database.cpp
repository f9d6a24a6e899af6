// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/database.hpp"

#include "kv/rocksdb/slices.hpp"
#include "kv/rocksdb/stored_entry.hpp"
#include "kv/rocksdb/stored_record.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
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
const std::string kStreams = "streams";

// Small, since everything is in memory above: the database is only ever read from end to end.
constexpr std::size_t kBlockCacheBytes = 8 << 20;
// Never reached: rotate_if_long() comes first.
constexpr std::size_t kMemtableBytes = 512ULL << 20;

::rocksdb::Options to_rocksdb(const DatabaseOptions& wanted) {
  ::rocksdb::Options options;
  options.create_if_missing = wanted.mode == OpenMode::create;
  options.atomic_flush = true;
  options.wal_recovery_mode = wanted.salvage
                                  ? ::rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : ::rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  // After a failure nothing is tried again: see DiskJournal.
  options.max_bgerror_resume_count = 0;
  options.write_buffer_size = kMemtableBytes;
  options.arena_block_size = 1 << 20;
  // Nobody but rotate_if_long() begins a log. Space in advance would be as much as a memtable may take.
  options.max_total_wal_size = std::numeric_limits<std::uint64_t>::max();
  options.allow_fallocate = false;
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
  if (what.contains("olumn families not opened")) {
    return {base::Errc::invalid,
            "state directory " + directory +
                " was written by something else, or by a newer version of this program (" + what +
                ")"};
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
    // What close() breaks off is in the log, which was synced.
    if (!error->IsShutdownInProgress()) on_failure_(error->ToString());
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
  database->logs_ = std::make_shared<LogFiles>(
      wanted.file_system ? wanted.file_system : ::rocksdb::FileSystem::Default(), folder);
  database->env_ = ::rocksdb::NewCompositeEnv(database->logs_);
  options.env = database->env_.get();
  options.listeners.push_back(std::make_shared<Listener>(std::move(on_failure)));
  const Status status = wanted.mode == OpenMode::read_only ? database->open_to_read(options)
                                                           : database->open_to_write(options);
  if (!status.ok()) return std::unexpected(rocksdb::explain(wanted.directory, status));
  return database;
}

Status Database::open_to_write(const ::rocksdb::Options& options) {
  Families families;
  if (const Status found = find_families(options, families); !found.ok()) return found;
  ::rocksdb::DB* db = nullptr;
  std::vector<::rocksdb::ColumnFamilyHandle*> opened;
  const Status status = ::rocksdb::DB::Open(options, directory_ + kFolder, families, &opened, &db);
  take(db, opened);
  return status;
}

// Takes the lock itself, which the database does not do for readers.
Status Database::open_to_read(const ::rocksdb::Options& options) {
  const std::string folder = directory_ + kFolder;
  if (const Status locked = options.env->LockFile(folder + kLockFile, &lock_); !locked.ok()) {
    return locked;
  }
  Families families;
  if (const Status found = find_families(options, families); !found.ok()) return found;
  ::rocksdb::DB* db = nullptr;
  std::vector<::rocksdb::ColumnFamilyHandle*> opened;
  const Status status = ::rocksdb::DB::OpenForReadOnly(options, folder, families, &opened, &db);
  take(db, opened);
  return status;
}

// Those that are there; in a database that is still to be made, the default one.
Status Database::find_families(const ::rocksdb::Options& options, Families& families) {
  families = {{::rocksdb::kDefaultColumnFamilyName, options}};
  const std::string folder = directory_ + kFolder;
  if (options.env->FileExists(folder + "/CURRENT").IsNotFound()) return Status::OK();
  std::vector<std::string> there;
  const Status listed = ::rocksdb::DB::ListColumnFamilies(options, folder, &there);
  if (std::ranges::find(there, kStreams) != there.end()) families.emplace_back(kStreams, options);
  return listed;
}

void Database::take(::rocksdb::DB* db, const std::vector<::rocksdb::ColumnFamilyHandle*>& opened) {
  db_.reset(db);
  if (!opened.empty()) entries_.reset(opened[0]);
  if (opened.size() > 1) streams_.reset(opened[1]);
}

Status Database::make_streams() {
  if (streams_ != nullptr) return Status::OK();
  ::rocksdb::ColumnFamilyHandle* made = nullptr;
  const Status status = db_->CreateColumnFamily(db_->GetOptions(), kStreams, &made);
  streams_.reset(made);
  return status;
}

Database::~Database() {
  streams_.reset();
  entries_.reset();
  if (db_) static_cast<void>(db_->Close());
  db_.reset();
  if (lock_ != nullptr) static_cast<void>(env_->UnlockFile(lock_));
}

Status Database::write(::rocksdb::WriteBatch& batch) {
  log_bytes_ += batch.GetDataSize();
  return db_->Write({}, &batch);
}

Status Database::sync() { return logs_->sync(); }

Status Database::rotate_if_long() {
  if (log_bytes_ < max_log_bytes_) return Status::OK();
  log_bytes_ = 0;
  if (const Status synced = logs_->sync(); !synced.ok()) return synced;
  ::rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  return db_->Flush(options, {entries_.get(), streams_.get()});
}

base::Error Database::explain(const Status& status) const {
  return rocksdb::explain(directory_, status);
}

base::Result<std::uint64_t> Database::number(std::string_view key) {
  std::string bytes;
  const Status status = db_->Get({}, slice(key), &bytes);
  if (status.IsNotFound()) return 0;
  if (!status.ok()) return std::unexpected(explain(status));
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
  return for_each(*at, kEntryTag, visit);
}

std::unique_ptr<::rocksdb::Iterator> Database::read_streams() {
  ::rocksdb::ReadOptions options;
  options.fill_cache = false;
  return std::unique_ptr<::rocksdb::Iterator>(db_->NewIterator(options, streams_.get()));
}

base::Result<void> Database::for_each_head(
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  return streams_ == nullptr ? base::Result<void>() : for_each(*read_streams(), kHeadTag, visit);
}

base::Result<void> Database::for_each(
    ::rocksdb::Iterator& at, char tag,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  for (at.Seek({&tag, 1}); at.Valid() && at.key()[0] == tag; at.Next()) {
    if (!visit(at.key().ToStringView(), at.value().ToStringView()))
      return std::unexpected(explain(Status::Corruption("an entry is malformed")));
  }
  if (!at.status().ok()) return std::unexpected(explain(at.status()));
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
