// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "kv/rocksdb/slices.hpp"
#include "kv/rocksdb/stored_entry.hpp"
#include "kv/rocksdb/stream_log.hpp"
#include "kv/rocksdb/write_group.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include <pthread.h>
#include <sched.h>

// The two threads of the journal, its end, and its failure.

namespace helios::kv::rocksdb {
namespace {

// Of a batch whose storage is used again.
constexpr std::size_t kMaxKeptBytes = 1 << 20;

// Where all cores are busy, those who wake the calling thread go on until they rest, instead of making room for
// it at once: it finds more to write at a time then, which saves about a third of what it costs. Where a core is idle
// nothing changes. Only how soon it runs depends on it, so a system that forbids it is none the worse.
void let_others_finish() {
  const sched_param no_priority{};
  static_cast<void>(pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority));
}

}  // namespace

void DiskJournal::start() {
  {
    const std::scoped_lock lock(mutex_);
    is_started_ = true;
    if (!why_broken_.empty()) say_why_broken();
  }
  writer_ = std::thread([this] { write_until_stopped(); });
  syncer_ = std::thread([this] { sync_until_stopped(); });
}

void DiskJournal::stop(Version last_used_version) {
  if (!database_) return;
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  written_down_.notify_all();
  if (writer_.joinable()) writer_.join();
  handed_on_.notify_all();
  if (syncer_.joinable()) syncer_.join();
  // An orderly end gives back what is left of the block.
  if (is_writable() && last_used_version >= first_version_ && last_used_version != kAbsent) {
    const Number bytes = to_bytes(last_used_version);
    ::rocksdb::WriteBatch batch;
    static_cast<void>(batch.Put(slice(kVersionsKey), slice(bytes)));
    if (database_->write(batch).ok()) static_cast<void>(database_->sync());
  }
  streams_.reset();
  database_.reset();
}

void DiskJournal::write_until_stopped() {
  pthread_setname_np(pthread_self(), "state-writer");
  let_others_finish();
  std::unique_lock lock(mutex_);
  for (;;) {
    written_down_.wait(lock, [this] { return !open_->is_empty() || is_stopping_; });
    if (open_->is_empty()) break;
    guard(lock, [&] { write_group(lock); });
  }
  has_writer_ended_ = true;
}

// With `lock` held, but for the writing itself.
void DiskJournal::write_group(std::unique_lock<std::mutex>& lock) {
  std::swap(open_, writing_);
  const Ticket last = last_ticket_;
  lock.unlock();
  if (is_writable()) streams_->put(*writing_);
  const std::uint64_t bytes = writing_->changes.GetDataSize();
  ::rocksdb::Status status =
      is_writable() ? database_->write(writing_->changes) : ::rocksdb::Status::OK();
  writing_->clear(kMaxKeptBytes);
  if (!status.ok()) break_down(status.ToString());
  lock.lock();
  waiting_bytes_.store(open_->bytes(), std::memory_order_relaxed);
  if (!why_broken_.empty()) return;
  ++groups_;
  bytes_ += bytes;
  last_strict_written_ = std::max(last_strict_written_, std::min(last, last_strict_));
  handed_over_.store(last, std::memory_order_release);
  Due due;
  take_due(for_hand_over_, last, due);
  if (is_syncer_idle_ || last_strict_written_ > on_disk_) handed_on_.notify_one();
  call(due, true, lock);
  lock.unlock();
  status = database_->rotate_if_long();
  if (!status.ok()) break_down(status.ToString());
  lock.lock();
}

void DiskJournal::sync_until_stopped() {
  pthread_setname_np(pthread_self(), "state-sync");
  std::unique_lock lock(mutex_);
  for (;;) {
    wait_for_something_to_sync(lock);
    if (on_disk_ < handed_over_ && why_broken_.empty()) {
      guard(lock, [&] { sync_group(lock); });
    } else if (has_writer_ended_ || is_stopping_) {
      if (has_writer_ended_) return;
      handed_on_.wait(lock);  // the writer's last group
    }
  }
}

// Until somebody waits for what has been handed over, or it has waited long enough.
void DiskJournal::wait_for_something_to_sync(std::unique_lock<std::mutex>& lock) {
  const auto is_ending = [this] { return is_stopping_; };
  const auto is_urgent = [this] { return last_strict_written_ > on_disk_ || is_stopping_; };
  is_syncer_idle_ = true;
  handed_on_.wait(lock,
                  [&] { return (on_disk_ < handed_over_ && why_broken_.empty()) || is_ending(); });
  is_syncer_idle_ = false;
  handed_on_.wait_for(lock, std::chrono::milliseconds(options_.sync_interval_ms), is_urgent);
}

// With `lock` held, but for the sync itself.
void DiskJournal::sync_group(std::unique_lock<std::mutex>& lock) {
  const Ticket last = handed_over_;
  lock.unlock();
  const std::int64_t began_ns = clock_.monotonic_ns();
  const ::rocksdb::Status status = database_->sync();
  sync_seconds_.observe(static_cast<double>(clock_.monotonic_ns() - began_ns) * 1e-9);
  if (!status.ok()) break_down(status.ToString());
  lock.lock();
  if (!why_broken_.empty()) return;
  ++syncs_;
  on_disk_.store(last, std::memory_order_release);
  Due due;
  take_due(for_disk_, last, due);
  call(due, true, lock);
}

// With `lock` held, then and afterwards. Nobody knows what reached the disk when it was left by an exception.
template <typename Work>
void DiskJournal::guard(std::unique_lock<std::mutex>& lock, Work work) {
  const bool is_through = base::contain(options_.faults, base::FaultPlace::state, work);
  if (!lock.owns_lock()) lock.lock();
  if (!is_through) break_down("an unexpected exception, see the log", lock);
}

// From any thread, also one of the database's.
void DiskJournal::break_down(std::string why) {
  std::unique_lock lock(mutex_);
  break_down(why, lock);
}

// With `lock` held, then and afterwards.
void DiskJournal::break_down(std::string_view why, std::unique_lock<std::mutex>& lock) {
  if (!why_broken_.empty()) return;
  try {
    why_broken_ = "state directory " + options_.directory + ": " + std::string(why);
  } catch (const std::bad_alloc&) {
    why_broken_ = "no memory";  // so short a text needs none
  }
  is_broken_.store(true, std::memory_order_release);
  // Before, whoever opens it hears of it.
  if (is_started_)
    base::contain(options_.faults, base::FaultPlace::state, [&] { say_why_broken(); });
  Due due;
  take_due(for_hand_over_, kEveryTicket, due);
  take_due(for_disk_, kEveryTicket, due);
  call(due, false, lock);
}

void DiskJournal::say_why_broken() {
  log_.write(base::LogLevel::error,
             "state cannot be written any more: " + why_broken_ +
                 "; namespaces that are kept on disk are read-only from now on. See to the disk, "
                 "then restart");
}

void DiskJournal::take_due(Waiting& waiting, Ticket reached, Due& due) {
  const auto end = waiting.upper_bound(reached);
  while (waiting.begin() != end) due.insert(waiting.extract(waiting.begin()));
}

// Gives the mutex back meanwhile.
void DiskJournal::call(Due& due, bool reached, std::unique_lock<std::mutex>& lock) {
  if (due.empty()) return;
  const std::size_t count = due.size();
  calling_ += count;
  lock.unlock();
  for (auto& [ticket, callback] : due) {
    base::contain(options_.faults, base::FaultPlace::state, [&] { callback(reached); });
  }
  due.clear();  // what they hold may use the store when it goes
  lock.lock();
  calling_ -= count;
}

}  // namespace helios::kv::rocksdb
