// SPDX-License-Identifier: Apache-2.0
#pragma once

// The entries of one namespace in key order, what they count for, and which of them expire when.
// Knows nothing of transactions; no lock, one thread at a time.

#include "kv/store.hpp"
#include "kv/transaction.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::kv {

// By how much keys and bytes (as Limits counts them) grow or shrink.
struct Growth {
  std::int64_t keys = 0;
  std::int64_t bytes = 0;
};

struct Entry {
  std::string value;
  Version version = kAbsent;
  ExpiryMs expires_at_ms = kNeverExpires;

  [[nodiscard]] bool is_expired(std::int64_t now_ms) const {
    return expires_at_ms != kNeverExpires && expires_at_ms <= now_ms;
  }
};

class EntryTable {
 public:
  EntryTable() = default;
  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  // The entry of `key`, expired or not, or nullptr. Valid until the next change.
  [[nodiscard]] const Entry* find(std::string_view key) const;

  // What writing these would change. `ignored_key`: leave the write of that key out.
  [[nodiscard]] Growth growth(std::span<const WriteRecord> writes,
                              std::string_view ignored_key = {}) const;
  // What setting `key` to `value_bytes` bytes would change.
  [[nodiscard]] Growth growth(std::string_view key, std::uint64_t value_bytes) const;

  // Writing goes in two steps, so that every key is looked up once: plan() finds the places and says
  // what apply() will change; apply() makes all writes, under one version.
  // Requires: one write per key; nothing changes the table between plan() and apply().
  [[nodiscard]] Growth plan(std::span<const WriteRecord> writes);
  // Returns whether a key came or went, for someone to whom what had expired by `hidden_until_ms` was
  // not there.
  bool apply(std::span<const WriteRecord> writes, Version version,
             std::int64_t hidden_until_ms = std::numeric_limits<std::int64_t>::min());

  // Removes up to `max` expired entries, oldest first. Returns by how much the table shrank; their keys
  // are added to `removed`, where that is given.
  Growth remove_expired(std::int64_t now_ms, std::size_t max,
                        std::vector<std::string>* removed = nullptr);
  [[nodiscard]] bool has_expiring() const { return !expiring_.empty(); }

  // Takes an entry as it was stored. Requires: there is none of that key. Quick in key order.
  void restore(Item item);

  // Calls `visit(key, entry)` for each entry in key order, expired ones included.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, entry] : entries_) visit(key, entry);
  }

  [[nodiscard]] ScanPage scan(const ScanRange& range, std::int64_t now_ms) const;

  // The keys of `range` that are live at `now_ms`, into the empty `page`: the first one whatever its
  // size, so that paging always gets on.
  void scan_keys(const KeyRange& range, std::int64_t now_ms, KeyPage& page) const;

  // Expired entries count until they are removed.
  [[nodiscard]] Usage usage() const { return usage_; }

 private:
  using Entries = std::map<std::string, Entry, std::less<>>;

  [[nodiscard]] Entries::const_iterator begin_of(std::string_view prefix,
                                                 std::string_view after) const;
  void set(Entries::iterator at, const WriteRecord& write, Version version);
  void erase(Entries::iterator at);
  void set_expiry(Entries::value_type& entry, ExpiryMs expires_at_ms);

  Entries entries_;
  Usage usage_;
  std::vector<Entries::iterator> places_;  // of the planned writes; end() = not there yet
  // When and which; the keys are views of those in entries_.
  std::set<std::pair<ExpiryMs, std::string_view>> expiring_;
};

}  // namespace helios::kv
