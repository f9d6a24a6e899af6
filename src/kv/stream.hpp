// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams: append-only, numbered sequences of records of a namespace, for what is written once and read
// seldom (audit trails, event logs), and need not fit into memory.
//
// A transaction appends records beside its reads and writes; all of it happens or none. Nothing else changes a
// stream: there is no update and no delete of a record. At commit the store gives each record
// - its number: 1, 2, 3, ... in the order of the commits, without a gap. So appends never conflict;
// - its time: milliseconds since 1970-01-01 UTC by the wall clock, but never less than the time of the record before
//   it, so that a time can be searched for;
// - its digest: SHA-256 of the digest of the record before it (32 bytes) and the record's bytes. The first record
//   follows first_digest(). So whoever knows one digest can tell whether any record up to it was changed, swapped or
//   taken out.
//
// Where a store has a directory, every stream of it is on disk, whatever the class of its namespace; the class
// says what an acknowledgement promises, for records as for entries (docs/state.md). Without a directory a stream is
// a ring in memory: the oldest records make room for new ones, and `first` of its extent tells how many went.

#include "base/sha256.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

using RecordNumber = std::uint64_t;  // from 1

inline constexpr std::size_t kMaxStreamNameBytes = 64;

// 1 to 64 letters, digits, '-', '_' and '.', not beginning with '.'.
[[nodiscard]] bool is_stream_name(std::string_view name);

// What the first record of a stream follows: SHA-256 of "heliosproxy stream\0", the namespace, '\0', the stream. It
// says whose records these are, so that no stream can be passed off as another.
[[nodiscard]] base::Sha256Digest first_digest(std::string_view space, std::string_view stream);

// That of a record which follows `before`: the step by which chains are made and checked. `sha` is between two texts.
[[nodiscard]] base::Sha256Digest next_digest(base::Sha256& sha, const base::Sha256Digest& before,
                                             std::string_view bytes);

// Which records are there, and what they count for (record_bytes()).
struct StreamExtent {
  RecordNumber first = 1;  // the oldest one that is there
  RecordNumber next = 1;   // that the next one will get; first == next: none is there
  std::uint64_t bytes = 0;
  std::int64_t last_time_ms = 0;  // of the latest one ever

  bool operator==(const StreamExtent&) const = default;
};

struct StreamInfo {
  std::string name;
  StreamExtent extent;
};

struct StreamRecord {
  RecordNumber number = 0;
  std::int64_t time_ms = 0;
  base::Sha256Digest digest{};
  std::string bytes;
};

// Which records a reader wants, and how much of them at most.
struct StreamRange {
  RecordNumber from = 1;
  // With it: those from the first one that is not older, if that number is greater than `from`.
  std::optional<std::int64_t> since_ms = {};
  std::uint64_t max_records = 1000;
  // Of their bytes. The first record comes whatever its size, so that paging always gets on.
  std::uint64_t max_bytes = 1 << 20;
};

// Of the records in `range`, which the extent of their stream tells, the first number to show; `next` when there is none.
// `time_of(number)`: of a record that is there.
template <typename TimeOf>
[[nodiscard]] RecordNumber first_in(const StreamRange& range, const StreamExtent& extent,
                                    TimeOf time_of) {
  RecordNumber low = std::min(std::max(range.from, extent.first), extent.next);
  if (!range.since_ms) return low;
  RecordNumber high = extent.next;
  while (low < high) {
    const RecordNumber middle = low + (high - low) / 2;
    if (time_of(middle) < *range.since_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

struct StreamPage {
  std::vector<StreamRecord> records;  // without a gap, in order
  // What the first of them follows. Of no meaning without records.
  base::Sha256Digest before{};
  StreamExtent extent;  // as of the same moment
};

}  // namespace helios::kv
