// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/disk_journal.hpp"

#include "kv/rocksdb/archive.hpp"
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/slices.hpp"
#include "kv/rocksdb/stored_entry.hpp"
#include "kv/rocksdb/stored_record.hpp"
#include "kv/rocksdb/stream_log.hpp"
#include "kv/rocksdb/write_group.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <future>
#include <utility>

namespace helios::kv::rocksdb {
namespace {

// Versions are given out in memory, and only the end of the present block stands on disk: a process that
// ends without a word uses up its block. More than three years of 10,000 commits a second in one namespace.
constexpr Version kVersionBlock = Version{1} << 40;

constexpr std::int64_t kProgressIntervalNs = 2'000'000'000;

void put_number(::rocksdb::WriteBatch& batch, std::string_view key, std::uint64_t number) {
  const Number bytes = to_bytes(number);
  static_cast<void>(batch.Put(slice(key), slice(bytes)));
}

// The key of an entry in pieces, without a copy.
class EntryKey {
 public:
  EntryKey(std::string_view space, std::string_view key)
      : head_{kEntryTag, static_cast<char>(space.size())},
        parts_{slice(head_), slice(space), slice(key)} {}
  EntryKey(const EntryKey&) = delete;
  EntryKey& operator=(const EntryKey&) = delete;
  [[nodiscard]] ::rocksdb::SliceParts parts() const {
    return {parts_.data(), static_cast<int>(parts_.size())};
  }

 private:
  std::array<char, 2> head_;
  std::array<::rocksdb::Slice, 3> parts_;
};

void put_entry(::rocksdb::WriteBatch& batch, const Applied& applied, const Change& change) {
  const EntryKey key(applied.space, change.key);
  if (change.is_erase) {
    static_cast<void>(batch.Delete(key.parts()));
    return;
  }
  const auto head = entry_head(applied.version, change.expires_at_ms);
  const std::array<::rocksdb::Slice, 2> value = {slice(head), slice(change.value)};
  static_cast<void>(batch.Put(key.parts(), {value.data(), static_cast<int>(value.size())}));
}

// Says from time to time how far recovery has come.
class Progress {
 public:
  Progress(const base::Clock& clock, base::Log& log) : clock_(clock), log_(log) {}

  void count() {
    if (++entries_ % 65536 != 0 || clock_.monotonic_ns() - said_ns_ < kProgressIntervalNs) return;
    said_ns_ = clock_.monotonic_ns();
    log_.write(base::LogLevel::info, "state: " + std::to_string(entries_) + " keys read so far");
  }
  void finish(const std::string& directory) const {
    log_.write(base::LogLevel::info,
               "state: " + std::to_string(entries_) + " keys read from " + directory + " in " +
                   std::to_string((clock_.monotonic_ns() - began_ns_) / 1'000'000) + " ms");
  }

 private:
  const base::Clock& clock_;
  base::Log& log_;
  const std::int64_t began_ns_ = clock_.monotonic_ns();
  std::int64_t said_ns_ = began_ns_;
  std::uint64_t entries_ = 0;
};

}  // namespace

DiskJournal::DiskJournal(const DiskJournalOptions& options, const base::Clock& clock,
                         base::Log& log)
    : options_(options),
      clock_(clock),
      log_(log),
      open_(std::make_unique<WriteGroup>()),
      writing_(std::make_unique<WriteGroup>()),
      sync_seconds_(metrics::duration_bounds()) {}

base::Result<std::unique_ptr<DiskJournal>> DiskJournal::open(const DiskJournalOptions& options,
                                                             const base::Clock& clock,
                                                             base::Log& log) {
  std::unique_ptr<DiskJournal> journal(new DiskJournal(options, clock, log));
  auto database = Database::open(
      {options.directory, options.mode, options.salvage, options.log_bytes, options.file_system},
      [self = journal.get()](std::string why) { self->break_down(std::move(why)); });
  if (!database) return std::unexpected(database.error());
  journal->database_ = *std::move(database);
  if (!options.archive.empty()) {
    auto archive =
        Archive::open(options.archive, options.mode == OpenMode::read_only, options.file_system);
    if (!archive) return std::unexpected(archive.error());
    journal->archive_ = *std::move(archive);
  }
  journal->streams_ = std::make_unique<StreamLog>(*journal->database_, journal->archive_.get());
  if (auto begun = journal->begin(); !begun) return std::unexpected(begun.error());
  return journal;
}

DiskJournal::~DiskJournal() { stop(kAbsent); }

// Is it ours, and of a format that we know?
base::Result<void> DiskJournal::begin() {
  const auto format = database_->number(kFormatKey);
  if (!format) return std::unexpected(format.error());
  if (*format > kFormat) {
    return base::fail(base::Errc::invalid,
                      "state directory " + options_.directory + " has format " +
                          std::to_string(*format) + ", and this program knows format " +
                          std::to_string(kFormat) +
                          " at most: start the newer version that wrote it, or restore a backup "
                          "of this one's");
  }
  if (*format == 0 && !database_->is_empty()) {
    return base::fail(base::Errc::invalid, "state directory " + options_.directory +
                                               " holds a database of something else");
  }
  return reserve_versions();
}

// On disk before the first of them is given out.
base::Result<void> DiskJournal::reserve_versions() {
  const auto used = database_->number(kVersionsKey);
  if (!used) return std::unexpected(used.error());
  first_version_ = *used;
  if (options_.mode == OpenMode::read_only) return {};
  reserved_versions_ = *used + kVersionBlock;
  ::rocksdb::WriteBatch batch;
  put_number(batch, kFormatKey, kFormat);
  put_number(batch, kVersionsKey, reserved_versions_);
  ::rocksdb::Status status = database_->make_streams();
  if (status.ok()) status = database_->write(batch);
  if (status.ok()) status = database_->sync();
  if (status.ok()) return {};
  return base::fail(base::Errc::unavailable, "state directory " + options_.directory +
                                                 " cannot be written: " + status.ToString());
}

base::Result<void> DiskJournal::recover(MemoryStore& store) {
  Progress progress(clock_, log_);
  const auto read = database_->for_each_entry([&](std::string_view key, std::string_view value) {
    const auto entry = parse_entry(key, value);
    if (!entry || entry->version > first_version_) return false;
    store.restore(entry->space, {.key = std::string(entry->key),
                                 .value = std::string(entry->value),
                                 .version = entry->version,
                                 .expires_at_ms = entry->expires_at_ms});
    progress.count();
    return true;
  });
  if (!read) return std::unexpected(read.error());
  const auto restore = [&store](std::string_view space, StreamInfo info) {
    store.restore_stream(space, std::move(info));
  };
  if (auto found = streams_->recover(restore); !found) return found;
  progress.finish(options_.directory);
  for (const Namespace* space : store.namespaces()) {
    if (store.durability(*space) != Durability::memory) continue;
    log_.write(base::LogLevel::warning, "state: namespace " + space->name() +
                                            " is kept in memory only from now on; what was on disk "
                                            "is in memory now, and the next restart forgets it");
    clear(space->name());
  }
  return {};
}

Ticket DiskJournal::append(const Applied& applied) {
  std::unique_lock lock(mutex_);
  if (!why_broken_.empty()) return ++last_ticket_;
  const bool was_empty = open_->is_empty();
  const std::uint64_t before = open_->bytes();
  try {
    for (const Change& change : applied.changes) put_entry(open_->changes, applied, change);
    for (const NumberedRecord& record : applied.appends) open_->records.add(applied.space, record);
  } catch (...) {
    break_down("a part of a transaction could not be written down", lock);
    throw;
  }
  if (applied.version + kVersionBlock / 2 > reserved_versions_) {
    reserved_versions_ = applied.version + kVersionBlock;
    put_number(open_->changes, kVersionsKey, reserved_versions_);
  }
  waiting_bytes_.fetch_add(open_->bytes() - before, std::memory_order_relaxed);
  const Ticket ticket = ++last_ticket_;
  if (applied.wants_sync) last_strict_ = ticket;
  lock.unlock();
  if (was_empty) written_down_.notify_one();
  return ticket;
}

Ticket DiskJournal::clear(std::string_view space) {
  const std::string begin = entry_prefix(space);
  std::string end = begin;
  // No namespace name ends in the greatest byte: they are of letters, digits, '-' and '.'.
  ++end.back();
  const std::scoped_lock lock(mutex_);
  if (!why_broken_.empty()) return ++last_ticket_;
  static_cast<void>(open_->changes.DeleteRange(slice(begin), slice(end)));
  written_down_.notify_one();
  return ++last_ticket_;
}

Ticket DiskJournal::drop(std::string_view space, const DroppedRecords& records) {
  Drop drop{.stream = {},
            .next_first = records.next_first,
            .bytes = records.bytes,
            .before = records.before};
  put_stream(drop.stream, space, records.stream);
  const std::scoped_lock lock(mutex_);
  if (!why_broken_.empty()) return ++last_ticket_;
  open_->drops.push_back(std::move(drop));
  written_down_.notify_one();
  return ++last_ticket_;
}

Ticket DiskJournal::reached(Safety safety) const {
  switch (safety) {
    case Safety::handed_over: return handed_over_.load(std::memory_order_acquire);
    case Safety::on_disk: return on_disk_.load(std::memory_order_acquire);
  }
  return kNoTicket;
}

WaitStatus DiskJournal::wait(Ticket ticket, Safety safety, MakeOnReached make_on_reached) {
  if (reached(safety) >= ticket) return WaitStatus::reached;
  const std::scoped_lock lock(mutex_);
  if (reached(safety) >= ticket) return WaitStatus::reached;
  if (!why_broken_.empty()) return WaitStatus::failed;
  Waiting& waiting = safety == Safety::on_disk ? for_disk_ : for_hand_over_;
  waiting.emplace(ticket, make_on_reached());
  if (safety == Safety::on_disk && ticket > last_strict_) {
    last_strict_ = ticket;
    if (handed_over_ >= ticket) last_strict_written_ = ticket;
    handed_on_.notify_one();
  }
  return WaitStatus::pending;
}

std::string DiskJournal::health() const {
  if (is_writable()) return {};
  const std::scoped_lock lock(mutex_);
  return why_broken_;
}

DiskJournalStats DiskJournal::stats() const {
  const std::scoped_lock lock(mutex_);
  return {.transactions = last_ticket_,
          .groups = groups_,
          .bytes = bytes_,
          .syncs = syncs_,
          .waiting = for_hand_over_.size() + for_disk_.size() + calling_,
          .handed_over = handed_over_,
          .on_disk = on_disk_};
}

// Blocks until what was appended before the call is that safe; false when that failed.
bool DiskJournal::await_everything(Safety safety) {
  std::promise<bool> kept;
  std::future<bool> result = kept.get_future();
  const auto make_on_reached = [&kept]() -> OnReached {
    return [&kept](bool reached) { kept.set_value(reached); };
  };
  Ticket last = kNoTicket;
  {
    const std::scoped_lock lock(mutex_);
    last = last_ticket_;
  }
  const WaitStatus status = wait(last, safety, make_on_reached);
  return status == WaitStatus::pending ? result.get() : status == WaitStatus::reached;
}

// What the database shows was handed over already, and so was everything that is acknowledged.
base::Result<StreamPage> DiskJournal::read_stream(std::string_view space, std::string_view stream,
                                                  const StreamRange& range, Safety safety) {
  auto page = streams_->read(space, stream, range);
  if (page && safety == Safety::on_disk && is_writable() && !await_everything(safety)) {
    return base::fail(base::Errc::unavailable, health());
  }
  return page;
}

namespace {

// For the owner alone. Tables may be links to those of the directory, whose folder has kept others out until now.
base::Result<void> make_private(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::permissions(folder, fs::perms::owner_all, error);
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const bool is_folder = at->is_directory(error);
    if (error) break;
    const auto file = fs::perms::owner_read | fs::perms::owner_write;
    fs::permissions(at->path(), is_folder ? fs::perms::owner_all : file, error);
    if (error) break;
  }
  if (!error) return {};
  return base::fail(base::Errc::unavailable,
                    "backup to " + folder + " failed: its permissions: " + error.message());
}

}  // namespace

base::Result<void> DiskJournal::backup(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return base::fail(base::Errc::invalid, "backup to " + path + " failed: it exists already");
  }
  if (!await_everything(Safety::on_disk)) {
    return base::fail(base::Errc::unavailable, "backup to " + path + " failed: " + health());
  }
  std::filesystem::create_directories(path, error);
  if (error) {
    return base::fail(base::Errc::unavailable, "backup to " + path + " failed: " + error.message());
  }
  auto copied = make_private(path);  // before anything is in it
  if (copied) copied = database_->copy_to(path);
  if (copied) copied = make_private(path);
  if (!copied) std::filesystem::remove_all(path, error);
  return copied;
}

}  // namespace helios::kv::rocksdb
