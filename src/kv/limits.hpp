// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace helios::kv {

// What a store accepts. Bytes are counted as key + value + kEntryOverheadBytes per key, which is
// about what one entry really takes.
struct Limits {
  std::uint64_t max_key_bytes = 64 * 1024;
  std::uint64_t max_value_bytes = 64 * 1024;
  std::uint64_t max_keys_per_namespace = 1'000'000;
  std::uint64_t max_bytes_per_namespace = 256ULL * 1024 * 1024;
  std::uint64_t max_total_bytes = 1024ULL * 1024 * 1024;
  // Anyone who may name a plugin in an admin URL can make a namespace.
  std::uint64_t max_namespaces = 1024;

  // What one transaction may remember: a guest in a loop must not fill the proxy's memory with
  // keys that it only asked for, nor hold up its namespace with one endless commit.
  std::uint64_t max_transaction_records = 16'384;             // keys read, and as many keys written
  std::uint64_t max_transaction_bytes = 16ULL * 1024 * 1024;  // counted as above, reads and writes

  // Streams (stream.hpp). Record bytes are counted as record_bytes().
  std::uint64_t max_record_bytes = 1024 * 1024;
  std::uint64_t max_streams_per_namespace = 64;
  // On disk, of all streams together. Bounds what the directory takes before the disk itself does.
  std::uint64_t max_stream_bytes = 16ULL * 1024 * 1024 * 1024;
  // In memory, of each namespace, where there is no directory: the oldest records make room.
  std::uint64_t max_ring_bytes = 16ULL * 1024 * 1024;

  bool operator==(const Limits&) const = default;
};

inline constexpr std::uint64_t kEntryOverheadBytes = 128;

// What one entry counts for.
[[nodiscard]] constexpr std::uint64_t entry_bytes(std::uint64_t key_bytes,
                                                  std::uint64_t value_bytes) {
  return key_bytes + value_bytes + kEntryOverheadBytes;
}

inline constexpr std::uint64_t kRecordOverheadBytes = 96;

// What max_stream_bytes keeps free for records of what has begun already: see Reserve.
[[nodiscard]] constexpr std::uint64_t stream_reserve_bytes(const Limits& limits) {
  constexpr std::uint64_t kMost = 64ULL * 1024 * 1024;
  return limits.max_stream_bytes / 16 < kMost ? limits.max_stream_bytes / 16 : kMost;
}

// What one record of a stream counts for.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t bytes) {
  return bytes + kRecordOverheadBytes;
}

}  // namespace helios::kv
