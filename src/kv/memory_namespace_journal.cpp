// SPDX-License-Identifier: Apache-2.0
#include "kv/memory_namespace.hpp"

#include <cassert>
#include <memory>
#include <utility>

// What of a namespace is written down, and who waits for it. All with mutex_ held, unless it says
// otherwise.

namespace helios::kv {

bool MemoryNamespace::is_kept() const { return durability() != Durability::memory; }

bool MemoryNamespace::is_read_only() const { return is_kept() && !journal_->is_writable(); }

// Unlike entries, records of streams are on disk whatever the class is.
bool MemoryNamespace::may_append_now() const {
  return journal_ == nullptr || journal_->is_writable();
}

// A transaction that has just been applied.
void MemoryNamespace::write_down(const Transaction& transaction) {
  std::span<const NumberedRecord> numbered;
  if (!transaction.appends().empty()) {
    const std::uint64_t before = streams_.bytes();
    numbered =
        streams_.number(transaction.appends(), clock_.wall_ms(), limits_.get().max_ring_bytes);
    streams_count_.store(streams_.size(), std::memory_order_relaxed);
    // What a journal keeps was counted when it was reserved.
    if (journal_ == nullptr) total_.count_records(streams_.bytes() - before);
  }
  if (journal_ != nullptr) write_down(changes_of(transaction.writes()), numbered);
}

std::span<const Change> MemoryNamespace::changes_of(std::span<const WriteRecord> writes) {
  changes_.clear();
  if (!is_kept()) return changes_;
  for (const WriteRecord& write : writes) {
    Change change{.key = write.key,
                  .is_erase = write.is_erase,
                  .value = write.value,
                  .expires_at_ms = write.expires_at_ms};
    if (write.keeps_expiry) {
      const Entry* entry = entries_.find(write.key);
      if (entry == nullptr) continue;  // it had expired, and stays away
      change.expires_at_ms = entry->expires_at_ms;
    }
    changes_.push_back(change);
  }
  return changes_;
}

void MemoryNamespace::write_down(std::span<const Change> changes,
                                 std::span<const NumberedRecord> appends) {
  if (changes.empty() && appends.empty()) return;
  last_ticket_ = journal_->append({.space = name_,
                                   .version = version_,
                                   .changes = changes,
                                   .appends = appends,
                                   .wants_sync = durability() == Durability::strict});
}

// Answers a transaction that has been applied, or only read: it rests on the last change at most.
CommitStatus MemoryNamespace::keep(Transaction& transaction, MakeOnCommit make_done) {
  transaction.set_ticket(last_ticket_);
  const bool is_strict = durability() == Durability::strict;
  const bool has_written = transaction.has_changes();
  const bool waits =
      is_strict || transaction.waits_until_kept() || (has_written && journal_->is_behind());
  const Safety safety = is_strict ? Safety::on_disk : Safety::handed_over;
  if (!waits || journal_->reached(safety) >= last_ticket_) return CommitStatus::done;

  const auto make_on_reached = [make_done]() -> OnReached {
    return [done = make_done()](bool reached) mutable {
      done(reached ? CommitStatus::done : CommitStatus::failed);
    };
  };
  const WaitStatus status = journal_->wait(last_ticket_, safety, make_on_reached);
  if (status == WaitStatus::pending) return CommitStatus::pending;
  // Reads go on when nothing can be written any more.
  const bool is_lost = status == WaitStatus::failed && has_written;
  return is_lost ? CommitStatus::failed : CommitStatus::done;
}

// Takes mutex_ itself.
void MemoryNamespace::set_durability(Durability durability) {
  const std::scoped_lock lock(mutex_);
  if (journal_ == nullptr) return;
  const Durability before = durability_.exchange(durability, std::memory_order_relaxed);
  if (durability == Durability::memory && before != Durability::memory) {
    last_ticket_ = journal_->clear(name_);
  } else if (durability != Durability::memory && before == Durability::memory) {
    write_down_everything();
  }
}

// As one transaction of a new version, so that a restart finds all of it or nothing.
void MemoryNamespace::write_down_everything() {
  ++version_;
  changes_.clear();
  entries_.for_each([this](const std::string& key, const Entry& entry) {
    changes_.push_back({.key = key, .value = entry.value, .expires_at_ms = entry.expires_at_ms});
  });
  write_down(changes_);
}

// Takes mutex_ itself.
void MemoryNamespace::restore(Item item) {
  const std::scoped_lock lock(mutex_);
  assert(item.version <= version_);
  total_.count(
      {.keys = 1,
       .bytes = static_cast<std::int64_t>(entry_bytes(item.key.size(), item.value.size()))});
  entries_.restore(std::move(item));
  publish_usage();
}

// Takes mutex_ itself.
void MemoryNamespace::restore_stream(StreamInfo info) {
  const std::scoped_lock lock(mutex_);
  total_.count_records(info.extent.bytes);
  streams_.restore(std::move(info));
  streams_count_.store(streams_.size(), std::memory_order_relaxed);
}

// Takes mutex_ itself. A transaction that only read does not rest on it.
void MemoryNamespace::drop_records(const DroppedRecords& records) {
  const std::scoped_lock lock(mutex_);
  streams_.drop(records);
  total_.uncount_records(records.bytes);
  journal_->drop(name_, records);
}

// Without the mutex where the journal reads the disk.
base::Result<StreamPage> MemoryNamespace::read_stream(std::string_view stream,
                                                      const StreamRange& range) {
  if (journal_ != nullptr) {
    const Safety safety =
        durability() == Durability::strict ? Safety::on_disk : Safety::handed_over;
    return journal_->read_stream(name_, stream, range, safety);
  }
  const std::scoped_lock lock(mutex_);
  return streams_.read(stream, range);
}

// Takes mutex_ itself.
Version MemoryNamespace::version() {
  const std::scoped_lock lock(mutex_);
  return version_;
}

}  // namespace helios::kv
