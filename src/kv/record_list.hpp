// SPDX-License-Identifier: Apache-2.0
#pragma once

// The records of one transaction, one per key, in the order in which they were added. Keeps the
// storage of cleared records, their strings included, for the records that come next. A hook touches
// two or three keys, which are compared one by one; longer lists are searched through a hash table.
//
// `Record` is default-constructible and has a std::string member `key`.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::kv {

template <typename Record>
class RecordList {
 public:
  [[nodiscard]] std::span<const Record> view() const { return {records_.data(), used_}; }
  [[nodiscard]] std::size_t size() const { return used_; }

  // The record of `key` or nullptr. Valid until the next add(), clear() or release().
  [[nodiscard]] Record* find(std::string_view key) {
    if (used_ > kMaxUnhashed) {
      const std::uint32_t position = cell_of(key);
      return position == 0 ? nullptr : &records_[position - 1];
    }
    for (std::size_t i = 0; i < used_; ++i) {
      if (records_[i].key == key) return &records_[i];
    }
    return nullptr;
  }

  // Appends a record: `fill(record)` sets every member of a new or reused one, and may still view
  // other records of this list.
  // Requires: there is no record of that key.
  template <typename Fill>
  void add(Fill&& fill) {
    if (used_ < records_.size()) {
      fill(records_[used_]);
    } else {
      Record fresh;
      fill(fresh);
      records_.push_back(std::move(fresh));
    }
    ++used_;
    index_last();
  }

  // Forgets the records and keeps their storage.
  void clear() {
    used_ = 0;
    table_.clear();
  }

  // Forgets the records and gives their storage back.
  void release() { *this = RecordList(); }

 private:
  static constexpr std::size_t kMaxUnhashed = 8;

  // The cell of the table that has `key`, or the empty one where it belongs.
  std::uint32_t& cell_of(std::string_view key) {
    const std::size_t mask = table_.size() - 1;
    std::size_t at = std::hash<std::string_view>{}(key)&mask;
    while (table_[at] != 0 && records_[table_[at] - 1].key != key) at = (at + 1) & mask;
    return table_[at];
  }

  void index_last() {
    if (used_ <= kMaxUnhashed) return;
    if (used_ * 2 <= table_.size()) {
      cell_of(records_[used_ - 1].key) = static_cast<std::uint32_t>(used_);
      return;
    }
    table_.assign(std::bit_ceil(used_ * 4), 0);
    for (std::size_t i = 0; i < used_; ++i) {
      cell_of(records_[i].key) = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::vector<Record> records_;  // the first used_ are records, the others are spare storage
  std::size_t used_ = 0;
  // Open addressing, a power of two, at most half full: position + 1, or 0 = empty. No table while
  // used_ <= kMaxUnhashed.
  std::vector<std::uint32_t> table_;
};

}  // namespace helios::kv
