// SPDX-License-Identifier: Apache-2.0
#pragma once

// What gathers while the writer is busy, and is then written at once: changes of entries as a batch, and records
// of streams as they came, since their digests are still to be computed, which the writer does. Private to the module.

#include "kv/journal.hpp"

#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv::rocksdb {

// Records in the order in which they were added. One thread at a time.
class RecordBuffer {
 public:
  struct Record {
    std::string_view stream;  // as put_stream() writes it
    RecordNumber number = 0;
    std::int64_t time_ms = 0;
    std::string_view bytes;
  };

  void add(std::string_view space, const NumberedRecord& record);
  [[nodiscard]] bool is_empty() const { return places_.empty(); }
  [[nodiscard]] std::uint64_t bytes() const { return data_.size(); }
  // Calls `visit(const Record&)` for each.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Place& place : places_) {
      const std::string_view data = data_;
      visit(Record{.stream = data.substr(place.begin, place.name_bytes),
                   .number = place.number,
                   .time_ms = place.time_ms,
                   .bytes = data.substr(place.begin + place.name_bytes, place.bytes)});
    }
  }
  // Forgets them, and gives back storage beyond `max_kept_bytes`.
  void clear(std::size_t max_kept_bytes);

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t name_bytes = 0;
    std::size_t bytes = 0;
    RecordNumber number = 0;
    std::int64_t time_ms = 0;
  };
  std::string data_;
  std::vector<Place> places_;
};

// Records that leave a stream: see DroppedRecords.
struct Drop {
  std::string stream;  // as put_stream() writes it
  RecordNumber next_first = 1;
  std::uint64_t bytes = 0;
  base::Sha256Digest before{};
};

struct WriteGroup {
  ::rocksdb::WriteBatch changes;
  RecordBuffer records;
  std::vector<Drop> drops;

  [[nodiscard]] bool is_empty() const {
    return changes.Count() == 0 && records.is_empty() && drops.empty();
  }
  [[nodiscard]] std::uint64_t bytes() const { return changes.GetDataSize() + records.bytes(); }
  void clear(std::size_t max_kept_bytes);
};

}  // namespace helios::kv::rocksdb
