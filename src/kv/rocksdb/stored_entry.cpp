// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/stored_entry.hpp"

#include <bit>
#include <cstring>

namespace helios::kv::rocksdb {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

Number to_bytes(std::uint64_t number) { return std::bit_cast<Number>(number); }

std::optional<std::uint64_t> to_number(std::string_view bytes) {
  std::uint64_t number = 0;
  if (bytes.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

std::string entry_prefix(std::string_view space) {
  std::string prefix;
  prefix.reserve(2 + space.size());
  prefix += kEntryTag;
  prefix += static_cast<char>(space.size());
  prefix += space;
  return prefix;
}

std::array<char, kEntryHeadBytes> entry_head(Version version, ExpiryMs expires_at_ms) {
  std::array<char, kEntryHeadBytes> head{};
  std::memcpy(head.data(), &version, sizeof version);
  std::memcpy(head.data() + sizeof version, &expires_at_ms, sizeof expires_at_ms);
  return head;
}

std::optional<StoredEntry> parse_entry(std::string_view key, std::string_view value) {
  if (key.size() < 2 || key[0] != kEntryTag || value.size() < kEntryHeadBytes) return std::nullopt;
  const auto name_bytes = static_cast<unsigned char>(key[1]);
  if (name_bytes == 0 || key.size() <= 2U + name_bytes) return std::nullopt;
  StoredEntry entry;
  entry.space = key.substr(2, name_bytes);
  entry.key = key.substr(2U + name_bytes);
  std::memcpy(&entry.version, value.data(), sizeof entry.version);
  std::memcpy(&entry.expires_at_ms, value.data() + sizeof entry.version,
              sizeof entry.expires_at_ms);
  entry.value = value.substr(kEntryHeadBytes);
  return entry.version == kAbsent ? std::nullopt : std::optional(entry);
}

}  // namespace helios::kv::rocksdb
