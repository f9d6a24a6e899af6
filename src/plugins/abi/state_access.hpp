// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the imports of the plugin's namespace have in common: reading through the attempt's transaction,
// times to live, and what a refused write is called.

#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace helios::plugins {

static_assert(std::endian::native == std::endian::little);  // as guests are

inline constexpr std::size_t kNumberBytes = sizeof(std::int64_t);
inline constexpr std::int64_t kMaxTtlMs = std::int64_t{1}
                                          << 52;  // keeps sums with the time far from overflow

// True when the read gave an answer; otherwise the attempt is over, and `calls` knows why.
[[nodiscard]] inline bool has_answer(HostCalls& calls, kv::ReadStatus status) {
  switch (status) {
    case kv::ReadStatus::value:
    case kv::ReadStatus::absent: return true;
    case kv::ReadStatus::not_resident: calls.stop(HostCalls::Stop::not_resident); break;
    case kv::ReadStatus::doomed: calls.stop(HostCalls::Stop::doomed); break;
    case kv::ReadStatus::failed: calls.stop(HostCalls::Stop::store_failed); break;
  }
  return false;
}

// What is under `key`; no `value` when nothing is. nullopt when the attempt is over.
struct Present {
  bool is_there = false;
  kv::Found entry;
};
[[nodiscard]] inline std::optional<Present> read_entry(HostCalls& calls, std::string_view key) {
  Present present;
  const kv::ReadStatus status = calls.transaction().find(key, present.entry);
  if (!has_answer(calls, status)) return std::nullopt;
  present.is_there = status == kv::ReadStatus::value;
  return present;
}

[[nodiscard]] inline bool is_ttl(std::int64_t ttl_ms) { return ttl_ms >= 0 && ttl_ms <= kMaxTtlMs; }

// Requires: is_ttl(ttl_ms). 0 is for ever.
[[nodiscard]] inline kv::ExpiryMs expiry_after(HostCalls& calls, std::int64_t ttl_ms) {
  return ttl_ms == 0 ? kv::kNeverExpires : calls.state_now_ms() + ttl_ms;
}

// The code for how a write was taken.
[[nodiscard]] inline std::int32_t code_of(HostCalls& calls, const RefusedWrite& write) {
  switch (write.status) {
    case kv::WriteStatus::ok: return kOk;
    case kv::WriteStatus::invalid_key: return kInvalid;
    case kv::WriteStatus::value_too_large:
    case kv::WriteStatus::namespace_full:
    case kv::WriteStatus::store_full:
    case kv::WriteStatus::transaction_too_large:
    case kv::WriteStatus::failed: break;
  }
  calls.note_refused_write(write);
  return kLimit;
}

[[nodiscard]] inline std::int64_t number_in(std::string_view bytes) {
  std::int64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

// Requires: there is room behind `at`.
template <typename Number>
void put_number(char* at, Number number) {
  std::memcpy(at, &number, sizeof(number));
}

// The 8 bytes of a number; views `number`.
[[nodiscard]] inline std::string_view bytes_of(const std::int64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

}  // namespace helios::plugins
