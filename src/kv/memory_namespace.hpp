// SPDX-License-Identifier: Apache-2.0
#pragma once

// One namespace of the in-memory store: its entries behind one mutex, which is held for single reads
// and commits only, never across a callback.
//
// How a transaction stays consistent: it has a snapshot, a version at which all its reads hold. An
// entry that is not newer than the snapshot was the same then, so reading it needs nothing else.
// Anything newer, and absence once the namespace has moved on (a deleted entry leaves no version
// behind), moves the snapshot to the present, provided that all earlier reads still hold there. The
// same goes for time: entries are live or expired as of the snapshot's moment. Whatever changes the
// entries takes a new version, removal of expired ones included.
//
// A commit asks by versions alone: a value that expired after it was read has not changed. Charges are asked again of the
// number as it is, and what they come to are writes from then on (memory_namespace_charges.cpp). A scan adds
// one more version, that of the structure: it is the same as long as the same keys are there.
//
// With a journal, and a class other than `memory`, everything applied is handed to it under the mutex. Records of
// streams are handed to it whatever the class.
// A transaction that only read rests on what others wrote, so it waits for their tickets.

#include "kv/callback_queue.hpp"
#include "kv/entry_table.hpp"
#include "kv/expiry_clock.hpp"
#include "kv/journal.hpp"
#include "kv/limits_in_force.hpp"
#include "kv/store.hpp"
#include "kv/stream_table.hpp"
#include "kv/transaction.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

// What all namespaces of a store count for together. Growth is reserved before it happens, so the sum
// never exceeds the limit, not even for a moment. Any thread.
class TotalUsage {
 public:
  // Counts `growth`, unless it grows beyond `max_bytes`: then returns false and counts nothing.
  [[nodiscard]] bool try_count(Growth growth, std::uint64_t max_bytes);
  void count(Growth growth);
  // Counts `bytes` of records, unless that makes more than `max_bytes`.
  [[nodiscard]] bool try_count_records(std::uint64_t bytes, std::uint64_t max_bytes);
  void uncount_records(std::uint64_t bytes) {
    stream_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  void count_records(std::uint64_t bytes) {
    stream_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t stream_bytes() const {
    return stream_bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t keys() const { return keys_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> keys_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> stream_bytes_ = 0;
};

// Thread rule: every call may be made from any thread.
class MemoryNamespace final : public Namespace {
 public:
  // What is passed in outlives the namespace. `journal`: may be null, then everything is as in class
  // `memory`.
  MemoryNamespace(std::string name, const LimitsInForce& limits, const ExpiryClock& clock,
                  TotalUsage& total, Journal* journal = nullptr,
                  Durability durability = Durability::memory);

  [[nodiscard]] const std::string& name() const override { return name_; }

  // As the calls of Store.
  ReadStatus read(Transaction& transaction, std::string_view key, std::string& out, Stamp& stamp);
  ReadStatus scan_keys(Transaction& transaction, const KeyRange& range, KeyPage& page);
  WriteStatus admit(const Transaction& transaction, std::string_view key,
                    std::uint64_t value_bytes);
  WriteStatus admit_append(const Transaction& transaction, std::string_view stream,
                           std::uint64_t bytes);
  CommitStatus commit(Transaction& transaction, MakeOnCommit make_done);
  std::vector<StreamInfo> streams();
  base::Result<StreamPage> read_stream(std::string_view stream, const StreamRange& range);
  std::vector<ScanPage> scan(std::span<const ScanRange> ranges);
  Usage usage();
  void request_exclusive(OnExclusive granted);

  [[nodiscard]] Durability durability() const {
    return durability_.load(std::memory_order_relaxed);
  }
  // What is stored already is then kept, or forgotten, as the new class says.
  void set_durability(Durability durability);

  // Takes an entry that the journal has kept. Requires: nobody has committed here yet.
  void restore(Item item);
  void restore_stream(StreamInfo info);

  // Records that are kept elsewhere. Requires: a journal, which has them.
  void drop_records(const DroppedRecords& records);

  // The last one used.
  [[nodiscard]] Version version();

  // Removes up to `max` expired entries. Returns how many.
  std::size_t remove_expired(std::size_t max);

 private:
  class Lease;
  struct PendingCommit {
    Transaction* transaction;
    OnCommit done;
  };

  // All of these are called with mutex_ held.
  [[nodiscard]] std::int64_t present_ms() const;
  bool catch_up(Transaction& transaction) const;
  [[nodiscard]] bool is_current(const Transaction& transaction) const;
  [[nodiscard]] bool charges_hold(const Transaction& transaction, std::int64_t as_of_ms) const;
  void carry_out_charges(Transaction& transaction) const;
  [[nodiscard]] Growth growth_of_charges(const Transaction& transaction,
                                         std::string_view ignored_key) const;
  CommitStatus decide(Transaction& transaction, MakeOnCommit make_done);
  CommitStatus apply(const Transaction& transaction);
  CommitStatus apply_writes(const Transaction& transaction);
  [[nodiscard]] bool reserve_records(const Transaction& transaction);
  [[nodiscard]] bool may_append_now() const;  // needs no lock
  void write_down(const Transaction& transaction);
  CommitStatus keep(Transaction& transaction, MakeOnCommit make_done);
  [[nodiscard]] bool is_kept() const;  // changes are handed to the journal
  [[nodiscard]] bool is_read_only() const;
  std::span<const Change> changes_of(std::span<const WriteRecord> writes);
  void write_down(std::span<const Change> changes, std::span<const NumberedRecord> appends = {});
  void write_down_everything();
  [[nodiscard]] WriteStatus check_quotas(Growth growth) const;
  std::size_t remove_expired_locked(std::int64_t now_ms, std::size_t max);
  void publish_usage();
  void grant(OnExclusive granted);

  void release(const Exclusivity& lease);  // takes mutex_ itself

  const std::string name_;
  const LimitsInForce& limits_;
  const ExpiryClock& clock_;
  TotalUsage& total_;
  Journal* const journal_;  // null: none
  std::atomic<Durability> durability_;

  std::mutex mutex_;
  EntryTable entries_;
  StreamTable streams_;
  Version version_ = kAbsent;            // of the last change
  Version structure_version_ = kAbsent;  // of the last change that let a key come or go
  // The latest time as of which keys were scanned: what had expired by then was not shown, so setting
  // it again lets a key come.
  std::int64_t scanned_until_ms_ = std::numeric_limits<std::int64_t>::min();
  const Exclusivity* holder_ = nullptr;  // who has exclusivity
  std::deque<OnExclusive> waiting_;      // for exclusivity
  std::deque<PendingCommit> pending_;    // writing commits held up by the holder
  CallbackQueue callbacks_;
  Ticket last_ticket_ = kNoTicket;    // of the last change
  std::vector<Change> changes_;       // of what is being written down
  std::vector<std::string> removed_;  // keys that changes_ views

  // Copies of entries_.usage() that admit() looks at without the mutex.
  std::atomic<std::uint64_t> keys_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> streams_count_ = 0;  // the same for admit_append()
};

}  // namespace helios::kv
