// SPDX-License-Identifier: Apache-2.0
#include "kv/memory_namespace.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::kv {
namespace {

// Every writing commit clears away this many expired entries, which is more than it can add as long
// as it writes few; a commit that finds no room clears away as many as it takes.
constexpr std::size_t kExpiredPerCommit = 8;
constexpr std::size_t kExpiredPerRound = 256;

std::uint64_t grown(std::uint64_t count, std::int64_t growth) {
  return count + static_cast<std::uint64_t>(growth);
}

// How many bytes of records there may be with those of this transaction.
std::uint64_t stream_bytes_for(const Transaction& transaction, const Limits& limits) {
  return limits.max_stream_bytes -
         (transaction.leaves_reserve() ? stream_reserve_bytes(limits) : 0);
}

}  // namespace

void TotalUsage::count(Growth growth) {
  // Most writes replace a value by one of the same size.
  if (growth.keys != 0)
    keys_.fetch_add(static_cast<std::uint64_t>(growth.keys), std::memory_order_relaxed);
  if (growth.bytes != 0)
    bytes_.fetch_add(static_cast<std::uint64_t>(growth.bytes), std::memory_order_relaxed);
}

bool TotalUsage::try_count(Growth growth, std::uint64_t max_bytes) {
  if (growth.bytes > 0) {
    std::uint64_t present = bytes();
    do {
      if (grown(present, growth.bytes) > max_bytes) return false;
    } while (!bytes_.compare_exchange_weak(present, grown(present, growth.bytes),
                                           std::memory_order_relaxed));
    growth.bytes = 0;
  }
  count(growth);
  return true;
}

bool TotalUsage::try_count_records(std::uint64_t bytes, std::uint64_t max_bytes) {
  std::uint64_t present = stream_bytes();
  do {
    if (present + bytes > max_bytes) return false;
  } while (
      !stream_bytes_.compare_exchange_weak(present, present + bytes, std::memory_order_relaxed));
  return true;
}

class MemoryNamespace::Lease final : public Exclusivity {
 public:
  explicit Lease(MemoryNamespace& space) : space_(space) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() override { space_.release(*this); }

 private:
  MemoryNamespace& space_;
};

MemoryNamespace::MemoryNamespace(std::string name, const LimitsInForce& limits,
                                 const ExpiryClock& clock, TotalUsage& total, Journal* journal,
                                 Durability durability)
    : name_(std::move(name)),
      limits_(limits),
      clock_(clock),
      total_(total),
      journal_(journal),
      durability_(journal == nullptr ? Durability::memory : durability),
      streams_(name_, journal == nullptr),
      version_(journal == nullptr ? kAbsent : journal->last_used_version()) {}

std::int64_t MemoryNamespace::present_ms() const {
  return entries_.has_expiring() ? clock_.now_ms() : kTimeless;
}

ReadStatus MemoryNamespace::read(Transaction& transaction, std::string_view key, std::string& out,
                                 Stamp& stamp) {
  const std::scoped_lock lock(mutex_);
  if (!transaction.snapshot()) transaction.set_snapshot(version_, present_ms());
  const Entry* entry = entries_.find(key);
  const bool is_as_of_snapshot = *transaction.snapshot() == version_ ||
                                 (entry != nullptr && entry->version <= *transaction.snapshot());
  if (!is_as_of_snapshot && !catch_up(transaction)) return ReadStatus::doomed;
  if (entry == nullptr || entry->is_expired(transaction.as_of_ms())) {
    stamp = {};
    return ReadStatus::absent;
  }
  out.assign(entry->value);
  stamp = {.version = entry->version, .expires_at_ms = entry->expires_at_ms};
  return ReadStatus::value;
}

ReadStatus MemoryNamespace::scan_keys(Transaction& transaction, const KeyRange& range,
                                      KeyPage& page) {
  const std::scoped_lock lock(mutex_);
  if (!transaction.snapshot()) transaction.set_snapshot(version_, present_ms());
  if (*transaction.snapshot() != version_ && !catch_up(transaction)) return ReadStatus::doomed;
  transaction.note_structure(structure_version_);
  scanned_until_ms_ = std::max(scanned_until_ms_, transaction.as_of_ms());
  entries_.scan_keys(range, transaction.as_of_ms(), page);
  return ReadStatus::value;
}

bool MemoryNamespace::catch_up(Transaction& transaction) const {
  if (transaction.structure().value_or(structure_version_) != structure_version_) return false;
  const std::int64_t now_ms = present_ms();
  const auto holds = [this, now_ms](const ReadRecord& read) {
    const Entry* entry = entries_.find(read.key);
    if (entry == nullptr || entry->is_expired(now_ms)) return read.version == kAbsent;
    return entry->version == read.version;
  };
  if (!std::ranges::all_of(transaction.reads(), holds)) return false;
  if (!charges_hold(transaction, now_ms)) return false;
  transaction.set_snapshot(version_, now_ms);
  return true;
}

bool MemoryNamespace::is_current(const Transaction& transaction) const {
  // Without a snapshot it has read nothing.
  if (!transaction.snapshot() || transaction.snapshot() == version_) return true;
  if (transaction.structure().value_or(structure_version_) != structure_version_) return false;
  const std::int64_t as_of_ms = transaction.as_of_ms();
  if (!charges_hold(transaction, as_of_ms)) return false;
  return std::ranges::all_of(transaction.reads(), [this, as_of_ms](const ReadRecord& read) {
    const Entry* entry = entries_.find(read.key);
    if (entry == nullptr) return read.version == kAbsent;
    if (read.version == kAbsent) return entry->is_expired(as_of_ms);
    return entry->version == read.version;
  });
}

WriteStatus MemoryNamespace::check_quotas(Growth growth) const {
  const Limits& limits = limits_.get();
  const Usage present = entries_.usage();
  if (growth.keys > 0 && grown(present.keys, growth.keys) > limits.max_keys_per_namespace) {
    return WriteStatus::namespace_full;
  }
  if (growth.bytes <= 0) return WriteStatus::ok;
  if (grown(present.bytes, growth.bytes) > limits.max_bytes_per_namespace) {
    return WriteStatus::namespace_full;
  }
  return grown(total_.bytes(), growth.bytes) > limits.max_total_bytes ? WriteStatus::store_full
                                                                      : WriteStatus::ok;
}

WriteStatus MemoryNamespace::admit(const Transaction& transaction, std::string_view key,
                                   std::uint64_t value_bytes) {
  if (is_read_only()) return WriteStatus::failed;
  const Limits& limits = limits_.get();
  const std::uint64_t bytes = transaction.write_bytes() + entry_bytes(key.size(), value_bytes);
  const std::uint64_t keys = transaction.writes().size() + transaction.charges().size() + 1;
  // Far from the limits, as nearly always, an upper bound will do and no lock is taken.
  if (keys_.load(std::memory_order_relaxed) + keys <= limits.max_keys_per_namespace &&
      bytes_.load(std::memory_order_relaxed) + bytes <= limits.max_bytes_per_namespace &&
      total_.bytes() + bytes <= limits.max_total_bytes) {
    return WriteStatus::ok;
  }
  const std::scoped_lock lock(mutex_);
  for (;;) {
    const Growth others = entries_.growth(transaction.writes(), key);
    const Growth charged = growth_of_charges(transaction, key);
    const Growth own = entries_.growth(key, value_bytes);
    const WriteStatus status = check_quotas({.keys = others.keys + charged.keys + own.keys,
                                             .bytes = others.bytes + charged.bytes + own.bytes});
    if (status == WriteStatus::ok || remove_expired_locked(clock_.now_ms(), kExpiredPerRound) == 0)
      return status;
  }
}

CommitStatus MemoryNamespace::commit(Transaction& transaction, MakeOnCommit make_done) {
  const std::scoped_lock lock(mutex_);
  const bool is_held_up = holder_ != nullptr && holder_ != transaction.exclusivity();
  if (is_held_up && transaction.has_changes()) {
    pending_.push_back({.transaction = &transaction, .done = make_done()});
    return CommitStatus::pending;
  }
  return decide(transaction, make_done);
}

CommitStatus MemoryNamespace::decide(Transaction& transaction, MakeOnCommit make_done) {
  if (!is_current(transaction)) return CommitStatus::conflict;
  carry_out_charges(transaction);
  if (transaction.has_changes()) {
    if (const CommitStatus status = apply(transaction); status != CommitStatus::done) return status;
  }
  const bool is_written_down = is_kept() || (journal_ != nullptr && !transaction.appends().empty());
  return is_written_down ? keep(transaction, make_done) : CommitStatus::done;
}

CommitStatus MemoryNamespace::apply(const Transaction& transaction) {
  const bool may_write = transaction.writes().empty() || !is_read_only();
  const bool may_append = transaction.appends().empty() || may_append_now();
  if (!may_write || !may_append) return CommitStatus::failed;
  if (!reserve_records(transaction)) return CommitStatus::full;
  if (const CommitStatus status = apply_writes(transaction); status != CommitStatus::done) {
    if (journal_ != nullptr) total_.uncount_records(transaction.append_bytes());
    return status;
  }
  write_down(transaction);
  return CommitStatus::done;
}

CommitStatus MemoryNamespace::apply_writes(const Transaction& transaction) {
  if (transaction.writes().empty()) return CommitStatus::done;
  if (entries_.has_expiring()) remove_expired_locked(transaction.now_ms(), kExpiredPerCommit);
  for (;;) {
    const Growth growth = entries_.plan(transaction.writes());
    if (check_quotas(growth) == WriteStatus::ok &&
        total_.try_count(growth, limits_.get().max_total_bytes)) {
      break;
    }
    if (remove_expired_locked(clock_.now_ms(), kExpiredPerRound) == 0) return CommitStatus::full;
  }
  ++version_;
  if (entries_.apply(transaction.writes(), version_, scanned_until_ms_))
    structure_version_ = version_;
  publish_usage();
  return CommitStatus::done;
}

WriteStatus MemoryNamespace::admit_append(const Transaction& transaction, std::string_view stream,
                                          std::uint64_t bytes) {
  if (!may_append_now()) return WriteStatus::failed;
  const Limits& limits = limits_.get();
  if (journal_ != nullptr &&
      total_.stream_bytes() + transaction.append_bytes() + record_bytes(bytes) >
          stream_bytes_for(transaction, limits)) {
    return WriteStatus::store_full;
  }
  // Far from the limit, as nearly always, no lock is taken.
  if (streams_count_.load(std::memory_order_relaxed) + transaction.appends().size() <
      limits.max_streams_per_namespace) {
    return WriteStatus::ok;
  }
  const std::scoped_lock lock(mutex_);
  return streams_.fits(transaction.appends(), stream, limits.max_streams_per_namespace)
             ? WriteStatus::ok
             : WriteStatus::namespace_full;
}

// A ring needs no room: its oldest records go.
bool MemoryNamespace::reserve_records(const Transaction& transaction) {
  if (transaction.appends().empty()) return true;
  const Limits& limits = limits_.get();
  return streams_.fits(transaction.appends(), {}, limits.max_streams_per_namespace) &&
         (journal_ == nullptr || total_.try_count_records(transaction.append_bytes(),
                                                          stream_bytes_for(transaction, limits)));
}

std::vector<StreamInfo> MemoryNamespace::streams() {
  const std::scoped_lock lock(mutex_);
  return streams_.list();
}

std::size_t MemoryNamespace::remove_expired_locked(std::int64_t now_ms, std::size_t max) {
  removed_.clear();
  const Growth growth = entries_.remove_expired(now_ms, max, is_kept() ? &removed_ : nullptr);
  if (growth.keys == 0) return 0;
  structure_version_ = ++version_;
  changes_.clear();
  for (const std::string& key : removed_) changes_.push_back({.key = key, .is_erase = true});
  write_down(changes_);
  total_.count(growth);
  publish_usage();
  return static_cast<std::size_t>(-growth.keys);
}

std::size_t MemoryNamespace::remove_expired(std::size_t max) {
  const std::scoped_lock lock(mutex_);
  return entries_.has_expiring() ? remove_expired_locked(clock_.now_ms(), max) : 0;
}

void MemoryNamespace::publish_usage() {
  const Usage present = entries_.usage();
  keys_.store(present.keys, std::memory_order_relaxed);
  bytes_.store(present.bytes, std::memory_order_relaxed);
}

std::vector<ScanPage> MemoryNamespace::scan(std::span<const ScanRange> ranges) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_ms = present_ms();
  std::vector<ScanPage> pages;
  pages.reserve(ranges.size());
  for (const ScanRange& range : ranges) pages.push_back(entries_.scan(range, now_ms));
  return pages;
}

Usage MemoryNamespace::usage() {
  const std::scoped_lock lock(mutex_);
  Usage usage = entries_.usage();
  usage.stream_bytes = streams_.bytes();
  return usage;
}

void MemoryNamespace::request_exclusive(OnExclusive granted) {
  std::unique_lock lock(mutex_);
  if (holder_ != nullptr) {
    waiting_.push_back(std::move(granted));
    return;
  }
  grant(std::move(granted));
  callbacks_.deliver(lock);
}

void MemoryNamespace::grant(OnExclusive granted) {
  auto lease = std::make_unique<Lease>(*this);
  holder_ = lease.get();
  callbacks_.push([granted = std::move(granted), lease = std::move(lease)]() mutable {
    granted(std::move(lease));
  });
}

void MemoryNamespace::release([[maybe_unused]] const Exclusivity& lease) {
  std::unique_lock lock(mutex_);
  assert(holder_ == &lease);
  holder_ = nullptr;
  for (PendingCommit& commit : pending_) {
    const CommitStatus status =
        decide(*commit.transaction, [&commit] { return std::move(commit.done); });
    if (status == CommitStatus::pending) continue;  // the journal has it now
    callbacks_.push([done = std::move(commit.done), status]() mutable { done(status); });
  }
  pending_.clear();
  if (!waiting_.empty()) {
    OnExclusive next = std::move(waiting_.front());
    waiting_.pop_front();
    grant(std::move(next));
  }
  callbacks_.deliver(lock);
}

}  // namespace helios::kv
