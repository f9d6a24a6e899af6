// SPDX-License-Identifier: Apache-2.0
#pragma once

// The journal on disk: a RocksDB database in a state directory, written by a thread of its own.
//
//   append() --> open group --writer thread--> log of the database --> handed over
//                                                    \--sync thread--> on disk
//
// The writer takes everything that has gathered as one group, chains its records of streams (StreamLog), and writes it
// as one batch, so that many sessions share one write. The
// sync thread syncs at once when somebody waits for it, and otherwise at least every sync_interval_ms;
// meanwhile the writer goes on. Those who wait are called by these two threads.
//
// After the first write or sync that fails, nothing is written any more and nothing is tried again: what
// reached the disk cannot be known, so only a restart, which reads it, can tell. Everybody who waits, or
// will, hears that it failed; health() says why. An exception (base/faults.hpp) in a write or sync, or while a
// transaction is taken over, is such a failure; one in a callback is that callback's affair.
//
// Flow: 1 open(); 2 store.attach(), recover(); 3 start(); 4 stop(), when nobody commits any more.

#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "kv/journal.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/open_mode.hpp"
#include "metrics/histogram.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace helios::kv::rocksdb {

class Archive;
class Database;
class StreamLog;
struct WriteGroup;

struct DiskJournalOptions {
  std::string directory;
  // With read_only, namespaces refuse writes, and start() is not needed.
  OpenMode mode = OpenMode::create;
  // Opens what is damaged in the middle: with everything before the damage, and nothing after it.
  bool salvage = false;
  std::uint32_t sync_interval_ms = 1000;
  // A folder for the oldest records of streams (Archive), which readers are shown as well. Empty: none.
  std::string archive = {};
  // After so much a new log begins, and what the old one has moves into a table.
  std::uint64_t log_bytes = 16ULL << 20;
  base::FaultSink* faults = nullptr;  // outlives the journal; see base::contain()
  // For tests; null: the real one.
  std::shared_ptr<::rocksdb::FileSystem> file_system = nullptr;
};

// Numbers for people, each as of some moment.
struct DiskJournalStats {
  std::uint64_t transactions = 0;  // appended
  std::uint64_t groups = 0;        // batches written
  std::uint64_t bytes = 0;         // written to the log
  std::uint64_t syncs = 0;
  std::uint64_t waiting = 0;  // callbacks that wait for one of both
  Ticket handed_over = 0;
  Ticket on_disk = 0;
};

class DiskJournal final : public Journal {
 public:
  // `clock` and `log` outlive the journal. Errors: unavailable (no rights, no space, in use), not_found,
  // invalid (damaged, of a newer format, something else); the message says what to do.
  [[nodiscard]] static base::Result<std::unique_ptr<DiskJournal>> open(
      const DiskJournalOptions& options, const base::Clock& clock, base::Log& log);
  ~DiskJournal() override;

  // Fills `store`, to which this journal is attached, with what was kept. What belongs to namespaces of
  // class `memory` is forgotten on disk.
  [[nodiscard]] base::Result<void> recover(MemoryStore& store);

  // Starts the threads. Requires: recover() succeeded.
  void start();

  // Writes and syncs what is left, and closes. `last_used_version`: of the store. Nothing may be
  // appended afterwards.
  void stop(Version last_used_version);

  Ticket append(const Applied& applied) override;
  Ticket clear(std::string_view space) override;
  Ticket drop(std::string_view space, const DroppedRecords& records) override;
  [[nodiscard]] Ticket reached(Safety safety) const override;
  [[nodiscard]] WaitStatus wait(Ticket ticket, Safety safety,
                                MakeOnReached make_on_reached) override;
  [[nodiscard]] bool is_writable() const override {
    return !is_broken_.load(std::memory_order_acquire) && options_.mode != OpenMode::read_only;
  }
  [[nodiscard]] bool is_behind() const override {
    return waiting_bytes_.load(std::memory_order_relaxed) > kMaxWaitingBytes;
  }
  [[nodiscard]] std::string health() const override;
  [[nodiscard]] Version last_used_version() const override { return first_version_; }
  [[nodiscard]] base::Result<StreamPage> read_stream(std::string_view space,
                                                     std::string_view stream,
                                                     const StreamRange& range,
                                                     Safety safety) override;
  [[nodiscard]] base::Result<void> backup(const std::string& path) override;

  // Null: there is none. Lives as long as the journal.
  [[nodiscard]] Archive* archive() const { return archive_.get(); }

  [[nodiscard]] DiskJournalStats stats() const;
  [[nodiscard]] metrics::HistogramSnapshot sync_seconds() const { return sync_seconds_.snapshot(); }

 private:
  // Appended and not written: from here on, those who append wait.
  static constexpr std::uint64_t kMaxWaitingBytes = 64ULL << 20;

  using Waiting = std::multimap<Ticket, OnReached>;
  using Due = Waiting;  // nodes move, which needs no memory

  DiskJournal(const DiskJournalOptions& options, const base::Clock& clock, base::Log& log);
  [[nodiscard]] base::Result<void> begin();
  [[nodiscard]] base::Result<void> reserve_versions();
  [[nodiscard]] bool await_everything(Safety safety);

  // disk_journal_threads.cpp
  void write_until_stopped();
  void sync_until_stopped();
  void write_group(std::unique_lock<std::mutex>& lock);
  void sync_group(std::unique_lock<std::mutex>& lock);
  void wait_for_something_to_sync(std::unique_lock<std::mutex>& lock);
  template <typename Work>
  void guard(std::unique_lock<std::mutex>& lock, Work work);
  void break_down(std::string why);
  void break_down(std::string_view why, std::unique_lock<std::mutex>& lock);
  void say_why_broken();
  static void take_due(Waiting& waiting, Ticket reached, Due& due);
  void call(Due& due, bool reached, std::unique_lock<std::mutex>& lock);

  const DiskJournalOptions options_;
  const base::Clock& clock_;
  base::Log& log_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<StreamLog> streams_;
  Version first_version_ = kAbsent;

  std::atomic<Ticket> handed_over_ = kNoTicket;
  std::atomic<Ticket> on_disk_ = kNoTicket;
  std::atomic<bool> is_broken_ = false;
  std::atomic<std::uint64_t> waiting_bytes_ = 0;

  mutable std::mutex mutex_;              // guards what follows
  std::condition_variable written_down_;  // wakes the writer
  std::condition_variable handed_on_;     // wakes the sync thread
  std::unique_ptr<WriteGroup> open_;      // gathers
  std::unique_ptr<WriteGroup> writing_;   // the writer's, without the mutex
  Ticket last_ticket_ = kNoTicket;
  Ticket last_strict_ = kNoTicket;  // that somebody will wait for to be on disk
  Ticket last_strict_written_ = kNoTicket;
  Version reserved_versions_ = kAbsent;  // as kVersionsKey has it, or will
  Waiting for_hand_over_;
  Waiting for_disk_;
  std::string why_broken_;
  bool is_started_ = false;
  bool is_stopping_ = false;
  bool has_writer_ended_ = false;
  bool is_syncer_idle_ = false;  // waits for the first group; later ones need not wake it
  std::uint64_t groups_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t calling_ = 0;  // callbacks that are being called

  metrics::Histogram sync_seconds_;
  std::thread writer_;
  std::thread syncer_;
};

}  // namespace helios::kv::rocksdb
