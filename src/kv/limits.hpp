// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace helios::kv {

// What a store accepts. Bytes are counted as key + value + kEntryOverheadBytes per live key, which
// is about what one entry really takes.
struct Limits {
  std::uint64_t max_key_bytes = 64 * 1024;
  std::uint64_t max_value_bytes = 64 * 1024;
  std::uint64_t max_keys_per_namespace = 1'000'000;
  std::uint64_t max_bytes_per_namespace = 256ULL * 1024 * 1024;
  std::uint64_t max_total_bytes = 1024ULL * 1024 * 1024;
  // Anyone who may name a plugin in an admin URL can make a namespace.
  std::uint64_t max_namespaces = 1024;
};

inline constexpr std::uint64_t kEntryOverheadBytes = 128;

}  // namespace helios::kv
