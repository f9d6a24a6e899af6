// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store that keeps everything in memory: what runs when nothing has to survive a restart, and the
// model that every other store must behave like.
//
// Reads are always resident. A commit is pending only while another transaction holds exclusivity,
// and never fails. Two transactions of different namespaces do not meet.

#include "base/clock.hpp"
#include "kv/expiry_clock.hpp"
#include "kv/journal.hpp"
#include "kv/limits_in_force.hpp"
#include "kv/memory_namespace.hpp"
#include "kv/store.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

// Which namespace is kept how.
struct Durabilities {
  Durability standard = Durability::relaxed;
  std::map<std::string, Durability, std::less<>> by_name = {};
};

class MemoryStore final : public Store {
 public:
  // `clock` outlives the store.
  MemoryStore(const Limits& limits, const base::Clock& clock);

  [[nodiscard]] base::Result<Namespace*> open(std::string_view name) override;
  [[nodiscard]] Namespace* find(std::string_view name) override;
  [[nodiscard]] std::vector<Namespace*> namespaces() override;
  [[nodiscard]] std::vector<ScanPage> scan_ranges(Namespace& space,
                                                  std::span<const ScanRange> ranges) override;
  [[nodiscard]] std::vector<StreamInfo> streams(Namespace& space) override;
  [[nodiscard]] base::Result<StreamPage> read_stream(Namespace& space, std::string_view stream,
                                                     const StreamRange& range) override;
  [[nodiscard]] Usage usage(Namespace& space) override;
  [[nodiscard]] Usage total_usage() override;
  [[nodiscard]] const Limits& limits() const override { return limits_.get(); }
  [[nodiscard]] std::int64_t now_ms() const override { return clock_.now_ms(); }
  [[nodiscard]] std::string health() const override;
  [[nodiscard]] Ticket kept() const override;
  [[nodiscard]] WaitStatus when_kept(Ticket ticket, MakeOnReached make_on_kept) override;
  [[nodiscard]] Durability durability(const Namespace& space) const override;
  void prefer_durability(Namespace& space, std::optional<Durability> durability) override;
  [[nodiscard]] base::Result<void> backup(const std::string& path) override;
  void fetch(Transaction& transaction, base::Task ready) override;
  void request_exclusive(Namespace& space, OnExclusive granted) override;

  // From now on everything is written down in `journal`, which outlives the store.
  // Requires: there is no namespace yet, and no other thread.
  void attach(Journal& journal, Durabilities durabilities);

  // Takes an entry that the journal has kept, whatever the limits are. Requires: attached, and nobody
  // has committed anything yet.
  void restore(std::string_view space, Item item);

  // The same for a stream, whose records stay with the journal.
  void restore_stream(std::string_view space, StreamInfo info);

  // Takes the oldest records out of a stream, as they are kept elsewhere. Requires: attached; the stream has them.
  void drop_records(Namespace& space, const DroppedRecords& records);

  // The greatest version that any namespace has used.
  [[nodiscard]] Version last_used_version();

  // From now on `limits` count. What is stored already stays, even if it is more than they allow.
  void set_limits(const Limits& limits) { limits_.set(limits); }

  // Gives back the memory of expired entries: at most `max_per_namespace` in each namespace, so that
  // no one is held up for long. To be called from time to time, for namespaces that nobody writes any
  // more. Returns how many entries went.
  std::size_t remove_expired(std::size_t max_per_namespace = 256);

 private:
  ReadStatus read(Transaction& transaction, std::string_view key, std::string& out,
                  Stamp& stamp) override;
  ReadStatus scan_keys(Transaction& transaction, const KeyRange& range, KeyPage& page) override;
  WriteStatus admit(const Transaction& transaction, std::string_view key,
                    std::uint64_t value_bytes) override;
  WriteStatus admit_append(const Transaction& transaction, std::string_view stream,
                           std::uint64_t bytes) override;
  CommitStatus commit(Transaction& transaction, MakeOnCommit make_done) override;
  MemoryNamespace& make(std::string_view name);
  MemoryNamespace& home_of(std::string_view name);

  LimitsInForce limits_;
  const ExpiryClock clock_;
  TotalUsage total_;
  Journal* journal_ = nullptr;
  Durabilities durabilities_;
  std::mutex mutex_;  // guards namespaces_, not what is in them
  std::map<std::string, std::unique_ptr<MemoryNamespace>, std::less<>> namespaces_;
};

}  // namespace helios::kv
