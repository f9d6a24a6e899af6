// SPDX-License-Identifier: Apache-2.0
#pragma once

// How entries stand in the database, in its default column family. Formats 1 and 2, which has streams beside them
// (stored_record.hpp):
//   'e' length(1) namespace key  ->  version(8) expiry(8) value     one entry; numbers little-endian
//   'm' name                     ->  number(8)                      about the store as a whole
// The length stands before the name, so that the keys of one namespace lie together and in their order.

#include "kv/store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::kv::rocksdb {

inline constexpr std::uint64_t kFormat = 2;
inline constexpr std::string_view kFormatKey = "mformat";
// No version up to this number is given out again.
inline constexpr std::string_view kVersionsKey = "mversions";
inline constexpr char kEntryTag = 'e';
inline constexpr std::size_t kEntryHeadBytes = 16;

using Number = std::array<char, 8>;
[[nodiscard]] Number to_bytes(std::uint64_t number);
// Nullopt unless `bytes` are eight.
[[nodiscard]] std::optional<std::uint64_t> to_number(std::string_view bytes);

// What the keys of a namespace begin with. Requires: at most kMaxNamespaceNameBytes.
[[nodiscard]] std::string entry_prefix(std::string_view space);

// What stands before the value.
[[nodiscard]] std::array<char, kEntryHeadBytes> entry_head(Version version, ExpiryMs expires_at_ms);

struct StoredEntry {
  std::string_view space;
  std::string_view key;
  std::string_view value;
  Version version = kAbsent;
  ExpiryMs expires_at_ms = kNeverExpires;
};

// Nullopt: these bytes were not written by us.
[[nodiscard]] std::optional<StoredEntry> parse_entry(std::string_view key, std::string_view value);

}  // namespace helios::kv::rocksdb
