// SPDX-License-Identifier: Apache-2.0

// Entries of the plugin's namespace with what belongs to them: when they expire, which version they have,
// which keys there are.

#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/state_access.hpp"

#include <algorithm>
#include <array>

namespace helios::plugins {

namespace {

// As HELIOS_KV_* in abi/helios_abi2.h.
constexpr std::uint32_t kIfAbsent = 1;
constexpr std::uint32_t kIfPresent = 2;
constexpr std::uint32_t kKeepTtl = 4;
constexpr std::uint32_t kDelete = 8;

constexpr std::size_t kMetaBytes = 24;
constexpr std::uint64_t kMaxScanRecords = 256;
constexpr std::uint64_t kScanRecordBytes = 2 * sizeof(std::uint32_t);
constexpr std::int64_t kNoTtl = -1;

// Requires: `keeps_ttl` only if the key is there, and was read just now.
std::int32_t write(HostCalls& calls, std::string_view operation, std::string_view key,
                   std::string_view value, std::int64_t ttl_ms, bool keeps_ttl) {
  const auto status = keeps_ttl ? calls.transaction().update(key, value)
                                : calls.transaction().set(key, value, expiry_after(calls, ttl_ms));
  return code_of(calls, {operation, status, kv::entry_bytes(key.size(), value.size())});
}

std::optional<std::int32_t> kv_set_ex(HostCalls& calls, std::string_view key,
                                      std::string_view value, std::int64_t ttl_ms,
                                      std::uint32_t flags) {
  const bool is_both = (flags & kIfAbsent) != 0 && (flags & kIfPresent) != 0;
  if (!is_ttl(ttl_ms) || is_both || (flags & ~(kIfAbsent | kIfPresent | kKeepTtl)) != 0 ||
      !calls.transaction().may_be_key(key)) {
    return kInvalid;
  }
  if (flags == 0) return write(calls, "kv_set_ex", key, value, ttl_ms, false);
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  const std::uint32_t excluded = present->is_there ? kIfAbsent : kIfPresent;
  if ((flags & excluded) != 0) return kUnmet;
  return write(calls, "kv_set_ex", key, value, ttl_ms,
               present->is_there && (flags & kKeepTtl) != 0);
}

std::int64_t ttl_left_ms(HostCalls& calls, const kv::Stamp& stamp) {
  if (stamp.expires_at_ms == kv::kNeverExpires) return kNoTtl;
  return std::max<std::int64_t>(stamp.expires_at_ms - calls.state_now_ms(), 0);
}

std::optional<std::int32_t> kv_get_ex(HostCalls& calls, std::string_view key, std::span<char> out,
                                      std::span<char, kMetaBytes> meta) {
  if (!calls.transaction().may_be_key(key)) return kInvalid;
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  const kv::Stamp& stamp = present->entry.stamp;
  put_number(meta.data(), stamp.version);
  put_number(meta.data() + 8, static_cast<std::uint32_t>(present->entry.value.size()));
  put_number(meta.data() + 12, std::uint32_t{0});
  put_number(meta.data() + 16, present->is_there ? ttl_left_ms(calls, stamp) : std::int64_t{0});
  return present->is_there ? copy_out(present->entry.value, out) : kMissing;
}

std::optional<std::int32_t> kv_cas(HostCalls& calls, std::string_view key, std::uint64_t version,
                                   std::string_view value, std::int64_t ttl_ms, std::uint32_t flags,
                                   std::span<char, kNumberBytes> version_out) {
  if (!is_ttl(ttl_ms) || (flags & ~(kKeepTtl | kDelete)) != 0 ||
      !calls.transaction().may_be_key(key)) {
    return kInvalid;
  }
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  const kv::Version current = present->entry.stamp.version;
  if (current != version) {
    put_number(version_out.data(), current);
    return kUnmet;
  }
  const bool deletes = (flags & kDelete) != 0;
  const std::int32_t code = deletes ? code_of(calls, {"kv_cas", calls.transaction().erase(key), 0})
                                    : write(calls, "kv_cas", key, value, ttl_ms,
                                            present->is_there && (flags & kKeepTtl) != 0);
  if (code == kOk) put_number(version_out.data(), deletes ? kv::kAbsent : kv::kOwnWrite);
  return code;
}

std::optional<std::int32_t> kv_scan(HostCalls& calls, std::string_view prefix,
                                    std::string_view after, std::span<char> out) {
  kv::KeyPage page;
  const kv::ReadStatus status =
      calls.transaction().scan({.prefix = prefix,
                                .after = after,
                                .max_items = kMaxScanRecords,
                                .max_bytes = std::min<std::uint64_t>(out.size(), INT32_MAX),
                                .bytes_per_item = kScanRecordBytes},
                               page);
  if (!has_answer(calls, status)) return std::nullopt;
  if (page.items.empty()) return page.complete ? 0 : kTooSmall;
  char* at = out.data();
  for (const kv::KeyItem& item : page.items) {
    put_number(at, static_cast<std::uint32_t>(item.key.size()));
    put_number(at + 4, static_cast<std::uint32_t>(item.value_bytes));
    at = std::ranges::copy(item.key, at + kScanRecordBytes).out;
  }
  return static_cast<std::int32_t>(at - out.data());
}

}  // namespace

std::span<const HostFunction> entry_imports() {
  static const std::array kFunctions{
      host_function<kv_set_ex, Purity::writes>("env", "kv_set_ex"),
      host_function<kv_get_ex>("env", "kv_get_ex"),
      host_function<kv_cas, Purity::writes>("env", "kv_cas"),
      host_function<kv_scan>("env", "kv_scan"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
