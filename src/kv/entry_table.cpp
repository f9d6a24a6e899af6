// SPDX-License-Identifier: Apache-2.0
#include "kv/entry_table.hpp"

#include <cassert>

namespace helios::kv {
namespace {

std::int64_t counted(std::string_view key, std::uint64_t value_bytes) {
  return static_cast<std::int64_t>(entry_bytes(key.size(), value_bytes));
}

// Adds what `write` changes when `present` is what its key has now.
void add_growth(Growth& sum, const WriteRecord& write, const Entry* present) {
  if (write.keeps_expiry && present == nullptr) return;
  if (present != nullptr) {
    sum.keys -= 1;
    sum.bytes -= counted(write.key, present->value.size());
  }
  if (!write.is_erase) {
    sum.keys += 1;
    sum.bytes += counted(write.key, write.value.size());
  }
}

// Reuses the storage of `value` unless most of it would lie idle: the quota counts sizes, so what is
// really allocated must stay near them.
void replace_value(std::string& value, const std::string& with) {
  constexpr std::size_t kTolerated = 64;
  if (value.capacity() > 2 * with.size() + kTolerated) {
    std::string(with).swap(value);  // assigning would keep the old storage
  } else {
    value.assign(with);
  }
}

}  // namespace

const Entry* EntryTable::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

Growth EntryTable::growth(std::string_view key, std::uint64_t value_bytes) const {
  const Entry* present = find(key);
  if (present == nullptr) return {.keys = 1, .bytes = counted(key, value_bytes)};
  return {.keys = 0, .bytes = counted(key, value_bytes) - counted(key, present->value.size())};
}

Growth EntryTable::growth(std::span<const WriteRecord> writes, std::string_view ignored_key) const {
  Growth sum;
  for (const WriteRecord& write : writes) {
    if (write.key != ignored_key) add_growth(sum, write, find(write.key));
  }
  return sum;
}

Growth EntryTable::plan(std::span<const WriteRecord> writes) {
  Growth sum;
  places_.clear();
  for (const WriteRecord& write : writes) {
    const auto at = places_.emplace_back(entries_.find(write.key));
    add_growth(sum, write, at == entries_.end() ? nullptr : &at->second);
  }
  return sum;
}

bool EntryTable::apply(std::span<const WriteRecord> writes, Version version,
                       std::int64_t hidden_until_ms) {
  assert(places_.size() == writes.size());
  bool changes_keys = false;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const auto at = places_[i];
    const bool is_there = at != entries_.end();
    if (writes[i].is_erase) {
      changes_keys |= is_there;
      if (is_there) erase(at);
    } else {
      changes_keys |= !is_there || at->second.is_expired(hidden_until_ms);
      set(at, writes[i], version);
    }
  }
  places_.clear();
  return changes_keys;
}

void EntryTable::set(Entries::iterator at, const WriteRecord& write, Version version) {
  if (at == entries_.end()) {
    if (write.keeps_expiry) return;
    at = entries_.try_emplace(write.key).first;
    usage_.keys += 1;
    usage_.bytes += entry_bytes(write.key.size(), 0);
  }
  Entry& entry = at->second;
  usage_.bytes += write.value.size();
  usage_.bytes -= entry.value.size();
  replace_value(entry.value, write.value);
  entry.version = version;
  if (!write.keeps_expiry && entry.expires_at_ms != write.expires_at_ms)
    set_expiry(*at, write.expires_at_ms);
}

void EntryTable::set_expiry(Entries::value_type& entry, ExpiryMs expires_at_ms) {
  ExpiryMs& present = entry.second.expires_at_ms;
  if (present != kNeverExpires) expiring_.erase({present, entry.first});
  present = expires_at_ms;
  if (present != kNeverExpires) expiring_.emplace(present, entry.first);
}

void EntryTable::erase(Entries::iterator at) {
  set_expiry(*at, kNeverExpires);
  usage_.keys -= 1;
  usage_.bytes -= entry_bytes(at->first.size(), at->second.value.size());
  entries_.erase(at);
}

Growth EntryTable::remove_expired(std::int64_t now_ms, std::size_t max,
                                  std::vector<std::string>* removed) {
  const Usage before = usage_;
  places_.clear();
  for (std::size_t i = 0; i < max && !expiring_.empty(); ++i) {
    const auto& [expires_at_ms, key] = *expiring_.begin();
    if (expires_at_ms > now_ms) break;
    const auto at = entries_.find(key);
    assert(at != entries_.end());
    if (removed != nullptr) removed->push_back(at->first);
    erase(at);
  }
  return {.keys = static_cast<std::int64_t>(usage_.keys - before.keys),
          .bytes = static_cast<std::int64_t>(usage_.bytes - before.bytes)};
}

void EntryTable::restore(Item item) {
  usage_.keys += 1;
  usage_.bytes += entry_bytes(item.key.size(), item.value.size());
  const auto at = entries_.try_emplace(entries_.end(), std::move(item.key));
  at->second.value = std::move(item.value);
  at->second.version = item.version;
  if (item.expires_at_ms != kNeverExpires) set_expiry(*at, item.expires_at_ms);
}

EntryTable::Entries::const_iterator EntryTable::begin_of(std::string_view prefix,
                                                         std::string_view after) const {
  return after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
}

void EntryTable::scan_keys(const KeyRange& range, std::int64_t now_ms, KeyPage& page) const {
  std::uint64_t bytes = 0;
  auto at = begin_of(range.prefix, range.after);
  for (; at != entries_.end() && at->first.starts_with(range.prefix); ++at) {
    const auto& [key, entry] = *at;
    if (entry.is_expired(now_ms)) continue;
    bytes += range.bytes_per_item + key.size();
    const bool is_full = page.items.size() >= range.max_items || bytes > range.max_bytes;
    if (is_full && !page.items.empty()) {
      page.complete = false;
      return;
    }
    page.items.push_back(
        {.key = key,
         .value_bytes = entry.value.size(),
         .stamp = {.version = entry.version, .expires_at_ms = entry.expires_at_ms}});
  }
}

ScanPage EntryTable::scan(const ScanRange& range, std::int64_t now_ms) const {
  ScanPage page;
  std::uint64_t bytes = 0;
  auto at = begin_of(range.prefix, range.after);
  for (; at != entries_.end() && at->first.starts_with(range.prefix); ++at) {
    const auto& [key, entry] = *at;
    if (entry.is_expired(now_ms)) continue;
    bytes += key.size() + entry.value.size();
    const bool is_first = page.items.empty();
    if (page.items.size() >= range.max_items || (bytes > range.max_bytes && !is_first)) {
      page.complete = false;
      break;
    }
    page.items.push_back({.key = key,
                          .value = entry.value,
                          .version = entry.version,
                          .expires_at_ms = entry.expires_at_ms});
  }
  return page;
}

}  // namespace helios::kv
