// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/archiver.hpp"

#include "kv/rocksdb/archive.hpp"
#include "kv/rocksdb/disk_journal.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <pthread.h>

namespace helios::kv::rocksdb {
namespace {

// Of what is read at a time.
constexpr std::uint64_t kPageRecords = 10'000;
constexpr std::uint64_t kPageBytes = 4 << 20;

}  // namespace

Archiver::Archiver(MemoryStore& store, DiskJournal& journal, const ArchiverOptions& options,
                   const base::Clock& clock, base::Log& log, base::FaultSink* faults)
    : store_(store),
      journal_(journal),
      clock_(clock),
      log_(log),
      faults_(faults),
      options_(options) {}

Archiver::~Archiver() { stop(); }

void Archiver::start() {
  thread_ = std::thread([this] { run(); });
}

void Archiver::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Archiver::set(const ArchiverOptions& options) {
  {
    const std::scoped_lock lock(mutex_);
    options_ = options;
    is_woken_ = true;
  }
  woken_.notify_all();
}

bool Archiver::is_stopping() const {
  const std::scoped_lock lock(mutex_);
  return is_stopping_;
}

ArchiverOptions Archiver::options() const {
  const std::scoped_lock lock(mutex_);
  return options_;
}

std::string Archiver::health() const {
  const std::scoped_lock lock(mutex_);
  return health_;
}

ArchiverStats Archiver::stats() const {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

void Archiver::run() {
  pthread_setname_np(pthread_self(), "state-archive");
  for (;;) {
    base::contain(faults_, base::FaultPlace::state, [this] { static_cast<void>(run_round()); });
    std::unique_lock lock(mutex_);
    const std::chrono::milliseconds interval(options_.interval_ms);
    woken_.wait_for(lock, interval, [this] { return is_stopping_ || is_woken_; });
    is_woken_ = false;
    if (is_stopping_) return;
  }
}

base::Result<void> Archiver::run_round() {
  // Of a journal that is broken nobody knows what it has.
  if (!journal_.is_writable()) return {};
  const ArchiverOptions present = options();
  base::Result<void> round = move_by_size(present);
  if (round) round = move_by_age(present);
  if (round) round = remove_old(present);
  note(round);
  return round;
}

// One line when it fails, and one when it works again.
void Archiver::note(const base::Result<void>& round) {
  const std::string now =
      round ? std::string()
            : "streams cannot move to the archive: " + round.error().message +
                  "; nothing is dropped, and appends are refused when [state] max_stream_bytes is "
                  "reached";
  std::string before;
  {
    const std::scoped_lock lock(mutex_);
    before = std::exchange(health_, now);
    if (!round) ++stats_.failures;
  }
  if (now == before) return;
  if (!now.empty()) log_.write(base::LogLevel::error, now);
  if (now.empty()) log_.write(base::LogLevel::info, "streams move to the archive again");
}

std::optional<Archiver::Candidate> Archiver::largest() const {
  std::optional<Candidate> found;
  for (Namespace* space : store_.namespaces()) {
    for (StreamInfo& stream : store_.streams(*space)) {
      if (!found || stream.extent.bytes > found->stream.extent.bytes)
        found = Candidate{.space = space, .stream = std::move(stream)};
    }
  }
  return found;
}

base::Result<void> Archiver::move_by_size(const ArchiverOptions& options) {
  // Not just what is too much: segments shall not become many and small.
  const std::uint64_t least = options.keep_bytes / 8;
  while (!is_stopping()) {
    const std::uint64_t held = store_.total_usage().stream_bytes;
    const auto it = held > options.keep_bytes ? largest() : std::nullopt;
    if (!it || it->stream.extent.first == it->stream.extent.next) return {};
    const std::uint64_t wanted = std::max(held - options.keep_bytes, least);
    auto moved = move(*it, it->stream.extent.next, std::min(wanted, options.segment_bytes));
    if (!moved) return std::unexpected(moved.error());
    if (!*moved) return {};
  }
  return {};
}

base::Result<void> Archiver::move_by_age(const ArchiverOptions& options) {
  if (options.move_after_ms <= 0) return {};
  for (Namespace* space : store_.namespaces()) {
    for (StreamInfo& stream : store_.streams(*space)) {
      if (is_stopping()) return {};
      const Candidate it{.space = space, .stream = std::move(stream)};
      if (auto moved = move_if_old(it, options); !moved) return moved;
    }
  }
  return {};
}

// When the oldest record is old enough, all go that are half as old: so that segments do not become many and small.
base::Result<void> Archiver::move_if_old(const Candidate& it, const ArchiverOptions& options) {
  const StreamExtent& extent = it.stream.extent;
  if (extent.first == extent.next) return {};
  const auto oldest = read(it, {.from = extent.first, .max_records = 1});
  if (!oldest) return std::unexpected(oldest.error());
  const std::int64_t now_ms = clock_.wall_ms();
  if (oldest->records.empty() || oldest->records.front().time_ms > now_ms - options.move_after_ms)
    return {};
  const auto younger = read(
      it, {.from = extent.first, .since_ms = now_ms - options.move_after_ms / 2, .max_records = 1});
  if (!younger) return std::unexpected(younger.error());
  const RecordNumber end = younger->records.empty() ? extent.next : younger->records.front().number;
  if (end == extent.first) return {};
  const auto moved = move(it, end, options.segment_bytes);
  return moved ? base::Result<void>() : std::unexpected(moved.error());
}

base::Result<void> Archiver::remove_old(const ArchiverOptions& options) {
  if (options.remove_after_ms <= 0) return {};
  const auto removed = journal_.archive()->remove_older(clock_.wall_ms() - options.remove_after_ms);
  if (!removed) return std::unexpected(removed.error());
  if (*removed == 0) return {};
  log_.write(base::LogLevel::info, "archive: " + std::to_string(*removed) +
                                       " segments were removed, as they are older than [state] "
                                       "archive_keep_days allows");
  const std::scoped_lock lock(mutex_);
  stats_.removed += *removed;
  return {};
}

// What is on disk: a segment must not have what the database could still lose.
base::Result<StreamPage> Archiver::read(const Candidate& it, const StreamRange& range) const {
  return journal_.read_stream(it.space->name(), it.stream.name, range, Safety::on_disk);
}

base::Result<bool> Archiver::move(const Candidate& it, RecordNumber end,
                                  std::uint64_t segment_bytes) {
  const RecordNumber first = it.stream.extent.first;
  const auto oldest = read(it, {.from = first, .max_records = 1});
  if (!oldest) return std::unexpected(oldest.error());
  if (oldest->records.empty()) return false;
  const auto head = journal_.archive()->add(
      {.stream = {it.space->name(), it.stream.name},
       .first = first,
       .before = oldest->before,
       .max_bytes = segment_bytes,
       .end = end,
       .read = [&](RecordNumber from) {
         return read(it, {.from = from, .max_records = kPageRecords, .max_bytes = kPageBytes});
       }});
  if (!head) return std::unexpected(head.error());
  store_.drop_records(*it.space, {.stream = it.stream.name,
                                  .next_first = head->extent.next,
                                  .bytes = head->extent.bytes,
                                  .before = head->last});
  log_.write(base::LogLevel::info, "archive: records " + std::to_string(first) + " to " +
                                       std::to_string(head->extent.next - 1) + " of " +
                                       it.space->name() + "/" + it.stream.name + " have moved");
  const std::scoped_lock lock(mutex_);
  ++stats_.segments;
  stats_.records += head->extent.next - first;
  return true;
}

}  // namespace helios::kv::rocksdb
