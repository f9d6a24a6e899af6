// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one transaction appends to streams, in order. Keeps the storage of cleared records, as RecordList does.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

struct AppendRecord {
  std::string stream;
  std::string bytes;
};

class AppendList {
 public:
  [[nodiscard]] std::span<const AppendRecord> view() const { return {records_.data(), used_}; }
  [[nodiscard]] std::size_t size() const { return used_; }

  void add(std::string_view stream, std::string_view bytes) {
    if (used_ == records_.size()) records_.emplace_back();
    records_[used_].stream.assign(stream);
    records_[used_].bytes.assign(bytes);
    ++used_;
  }

  // Forgets the records and keeps their storage.
  void clear() { used_ = 0; }
  // Forgets the records and gives their storage back.
  void release() { *this = AppendList(); }

 private:
  std::vector<AppendRecord> records_;  // the first used_ are records, the others are spare storage
  std::size_t used_ = 0;
};

}  // namespace helios::kv
