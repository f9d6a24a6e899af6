// SPDX-License-Identifier: Apache-2.0
#include "kv/memory_store.hpp"

#include "kv/transaction.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::kv {
namespace {

MemoryNamespace& own(Namespace& space) { return static_cast<MemoryNamespace&>(space); }

}  // namespace

MemoryStore::MemoryStore(const Limits& limits, const base::Clock& clock)
    : limits_(limits), clock_(clock) {}

base::Result<Namespace*> MemoryStore::open(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = namespaces_.find(name); found != namespaces_.end()) {
    return found->second.get();
  }
  if (namespaces_.size() >= limits_.get().max_namespaces) {
    return base::fail(base::Errc::limit_exceeded, "cannot make namespace \"" + std::string(name) +
                                                      "\": there are " +
                                                      std::to_string(limits_.get().max_namespaces) +
                                                      " already, the most allowed");
  }
  return &make(name);
}

// With mutex_ held.
MemoryNamespace& MemoryStore::make(std::string_view name) {
  const auto named = durabilities_.by_name.find(name);
  const Durability durability =
      named == durabilities_.by_name.end() ? durabilities_.standard : named->second;
  auto space = std::make_unique<MemoryNamespace>(std::string(name), limits_, clock_, total_,
                                                 journal_, durability);
  return *namespaces_.emplace(name, std::move(space)).first->second;
}

void MemoryStore::attach(Journal& journal, Durabilities durabilities) {
  assert(namespaces_.empty());
  journal_ = &journal;
  durabilities_ = std::move(durabilities);
}

void MemoryStore::restore(std::string_view space, Item item) {
  const std::scoped_lock lock(mutex_);
  home_of(space).restore(std::move(item));
}

void MemoryStore::restore_stream(std::string_view space, StreamInfo info) {
  const std::scoped_lock lock(mutex_);
  home_of(space).restore_stream(std::move(info));
}

void MemoryStore::drop_records(Namespace& space, const DroppedRecords& records) {
  own(space).drop_records(records);
}

// With mutex_ held.
MemoryNamespace& MemoryStore::home_of(std::string_view name) {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? make(name) : *found->second;
}

Version MemoryStore::last_used_version() {
  Version last = journal_ == nullptr ? kAbsent : journal_->last_used_version();
  for (Namespace* space : namespaces()) last = std::max(last, own(*space).version());
  return last;
}

std::string MemoryStore::health() const {
  return journal_ == nullptr ? std::string() : journal_->health();
}

Ticket MemoryStore::kept() const {
  return journal_ == nullptr ? kEveryTicket : journal_->reached(Safety::handed_over);
}

WaitStatus MemoryStore::when_kept(Ticket ticket, MakeOnReached make_on_kept) {
  if (journal_ == nullptr || ticket == kNoTicket) return WaitStatus::reached;
  return journal_->wait(ticket, Safety::handed_over, make_on_kept);
}

Durability MemoryStore::durability(const Namespace& space) const {
  return static_cast<const MemoryNamespace&>(space).durability();
}

void MemoryStore::prefer_durability(Namespace& space, std::optional<Durability> durability) {
  if (journal_ == nullptr || durabilities_.by_name.contains(space.name())) return;
  own(space).set_durability(durability.value_or(durabilities_.standard));
}

base::Result<void> MemoryStore::backup(const std::string& path) {
  return journal_ == nullptr ? Store::backup(path) : journal_->backup(path);
}

Namespace* MemoryStore::find(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

std::vector<Namespace*> MemoryStore::namespaces() {
  const std::scoped_lock lock(mutex_);
  std::vector<Namespace*> all;
  all.reserve(namespaces_.size());
  for (const auto& [name, space] : namespaces_) all.push_back(space.get());
  return all;
}

std::vector<ScanPage> MemoryStore::scan_ranges(Namespace& space,
                                               std::span<const ScanRange> ranges) {
  return own(space).scan(ranges);
}

std::vector<StreamInfo> MemoryStore::streams(Namespace& space) { return own(space).streams(); }

base::Result<StreamPage> MemoryStore::read_stream(Namespace& space, std::string_view stream,
                                                  const StreamRange& range) {
  return own(space).read_stream(stream, range);
}

Usage MemoryStore::usage(Namespace& space) { return own(space).usage(); }

Usage MemoryStore::total_usage() {
  return {.keys = total_.keys(), .bytes = total_.bytes(), .stream_bytes = total_.stream_bytes()};
}

void MemoryStore::fetch(Transaction&, base::Task ready) { ready(); }

void MemoryStore::request_exclusive(Namespace& space, OnExclusive granted) {
  own(space).request_exclusive(std::move(granted));
}

std::size_t MemoryStore::remove_expired(std::size_t max_per_namespace) {
  std::size_t removed = 0;
  for (Namespace* space : namespaces()) removed += own(*space).remove_expired(max_per_namespace);
  return removed;
}

ReadStatus MemoryStore::read(Transaction& transaction, std::string_view key, std::string& out,
                             Stamp& stamp) {
  return own(transaction.space()).read(transaction, key, out, stamp);
}

ReadStatus MemoryStore::scan_keys(Transaction& transaction, const KeyRange& range, KeyPage& page) {
  return own(transaction.space()).scan_keys(transaction, range, page);
}

WriteStatus MemoryStore::admit(const Transaction& transaction, std::string_view key,
                               std::uint64_t value_bytes) {
  if (key.empty() || key.size() > limits_.get().max_key_bytes) return WriteStatus::invalid_key;
  if (value_bytes > limits_.get().max_value_bytes) return WriteStatus::value_too_large;
  return own(transaction.space()).admit(transaction, key, value_bytes);
}

WriteStatus MemoryStore::admit_append(const Transaction& transaction, std::string_view stream,
                                      std::uint64_t bytes) {
  if (!is_stream_name(stream)) return WriteStatus::invalid_key;
  if (bytes > limits_.get().max_record_bytes) return WriteStatus::value_too_large;
  return own(transaction.space()).admit_append(transaction, stream, bytes);
}

CommitStatus MemoryStore::commit(Transaction& transaction, MakeOnCommit make_done) {
  return own(transaction.space()).commit(transaction, make_done);
}

}  // namespace helios::kv
