// SPDX-License-Identifier: Apache-2.0
#pragma once

// The streams of one namespace: how far each has come, and, where no journal keeps them, their latest records.
// No lock, one thread at a time.
//
// Flow of an append: 1 fits(), 2 number(), 3 with a journal: what number() returned goes to it.

#include "kv/append_list.hpp"
#include "kv/journal.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

class StreamTable {
 public:
  // `space`: of the namespace; outlives the table. With `is_ring` the table keeps the records itself.
  StreamTable(const std::string& space, bool is_ring) : space_(space) {
    if (is_ring) sha_.emplace();
  }
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // Would there be at most `max_streams` streams after these appends, the one of `also` included?
  [[nodiscard]] bool fits(std::span<const AppendRecord> appends, std::string_view also,
                          std::uint64_t max_streams) const;

  // Numbers the records, in their order; as a ring keeps them, of all streams `max_ring_bytes` at most, but the
  // latest record whatever its size. What is returned views `appends`, and is valid until the next call.
  std::span<const NumberedRecord> number(std::span<const AppendRecord> appends, std::int64_t now_ms,
                                         std::uint64_t max_ring_bytes);

  // The oldest records of a stream, which a journal has, go.
  void drop(const DroppedRecords& records);

  // A stream that the journal has kept.
  void restore(StreamInfo info);

  // By name.
  [[nodiscard]] std::vector<StreamInfo> list() const;
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  // What all of them count for.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Requires: is_ring. A stream that is not there is empty.
  [[nodiscard]] StreamPage read(std::string_view stream, const StreamRange& range) const;

 private:
  struct Stream {
    StreamExtent extent;
    // Of a ring only.
    std::deque<StreamRecord> records;
    base::Sha256Digest before{};  // what the oldest record follows
  };
  using Streams = std::map<std::string, Stream, std::less<>>;

  Stream& at(const std::string& name);
  void keep(Stream& stream, const NumberedRecord& record);
  void make_room(std::uint64_t max_bytes, const Stream& latest);
  void drop_oldest(Stream& stream);

  const std::string& space_;
  std::optional<base::Sha256> sha_;  // of a ring
  Streams streams_;
  std::uint64_t bytes_ = 0;
  std::vector<NumberedRecord> numbered_;
};

}  // namespace helios::kv
