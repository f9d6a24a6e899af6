// SPDX-License-Identifier: Apache-2.0
#pragma once

// How streams stand in the database, in a column family of their own. Format 2:
//   'r' length(1) namespace length(1) stream number(8) -> time(8) digest(32) bytes           one record
//   'h' length(1) namespace length(1) stream -> first(8) next(8) counted(8) time(8) before(32) last(32)   its head
// The number in a key is big-endian, so that records lie in their order; all other numbers are little-endian.
// `before` is the digest that the oldest record follows, `last` that of the latest record ever.

#include "kv/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::kv::rocksdb {

inline constexpr char kRecordTag = 'r';
inline constexpr char kHeadTag = 'h';
inline constexpr char kSegmentTag =
    's';  // in segments of the archive: their head, behind the records
inline constexpr std::size_t kRecordNumberBytes = 8;
inline constexpr std::size_t kRecordHeadBytes = 8 + 32;
inline constexpr std::size_t kStreamHeadBytes = 4 * 8 + 2 * 32;

// What says of a stream how it goes on.
struct StreamHead {
  StreamExtent extent;
  base::Sha256Digest before{};
  base::Sha256Digest last{};
};

// Appends length and name of both: what stands between the tag and the number. Requires: at most 255 bytes each.
void put_stream(std::string& out, std::string_view space, std::string_view stream);
void put_number(std::string& out, RecordNumber number);

struct StreamName {
  std::string_view space;
  std::string_view stream;
};
// Nullopt unless `key` is that of a head.
[[nodiscard]] std::optional<StreamName> parse_head_key(std::string_view key);

[[nodiscard]] std::string head_value(const StreamHead& head);
[[nodiscard]] std::optional<StreamHead> parse_head(std::string_view value);

// Appends the value of a record.
void put_record_value(std::string& out, const StreamRecord& record);

// Views what was read.
struct StoredRecord {
  std::int64_t time_ms = 0;
  base::Sha256Digest digest{};
  std::string_view bytes;
};
// Nullopt: these bytes were not written by us.
[[nodiscard]] std::optional<StoredRecord> parse_record(std::string_view value);
// The number that the key of a record ends in. Requires: at least kRecordNumberBytes.
[[nodiscard]] RecordNumber number_of(std::string_view key);

}  // namespace helios::kv::rocksdb
