// SPDX-License-Identifier: Apache-2.0

// The plugin's namespace, and what else a hook can have computed or be told.

#include "plugins/host_calls.hpp"
#include "plugins/host_codes.hpp"
#include "plugins/host_function.hpp"
#include "plugins/host_imports.hpp"
#include "plugins/sha256.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace helios::plugins {

namespace {

constexpr std::int32_t kRefused = -1;  // of kv_set, which existing plugins know no other code of
constexpr std::size_t kCounterBytes = sizeof(std::int64_t);
constexpr std::int64_t kMaxTtlMs = std::int64_t{1}
                                   << 52;  // keeps sums with the time far from overflow

static_assert(std::endian::native == std::endian::little);

// What a read came to; nullopt when the attempt is over, and stopped.
std::optional<kv::ReadStatus> read(HostCalls& calls, std::string_view key,
                                   std::string_view& value) {
  const kv::ReadStatus status = calls.transaction().get(key, value);
  switch (status) {
    case kv::ReadStatus::value:
    case kv::ReadStatus::absent: return status;
    case kv::ReadStatus::not_resident: calls.stop(HostCalls::Stop::not_resident); break;
    case kv::ReadStatus::doomed: calls.stop(HostCalls::Stop::doomed); break;
    case kv::ReadStatus::failed: calls.stop(HostCalls::Stop::store_failed); break;
  }
  return std::nullopt;
}

std::optional<std::int32_t> kv_get(HostCalls& calls, std::string_view key, std::span<char> out) {
  std::string_view value;
  const auto status = read(calls, key, value);
  if (!status) return std::nullopt;
  return *status == kv::ReadStatus::absent ? kMissing : copy_out(value, out);
}

std::optional<std::int32_t> kv_set(HostCalls& calls, std::string_view key, std::string_view value) {
  if (calls.transaction().set(key, value) == kv::WriteStatus::ok) return kOk;
  calls.note_refused_write();
  return kRefused;
}

std::optional<std::int32_t> kv_delete(HostCalls& calls, std::string_view key) {
  // A key that could never have been set is as absent as any other afterwards.
  static_cast<void>(calls.transaction().erase(key));
  return kOk;
}

std::int32_t write_counter(HostCalls& calls, std::string_view key, std::int64_t sum, bool is_new,
                           std::int64_t ttl_ms) {
  std::array<char, kCounterBytes> bytes{};
  std::memcpy(bytes.data(), &sum, sizeof(sum));
  const std::string_view value(bytes.data(), bytes.size());
  const kv::ExpiryMs expires = ttl_ms == 0 ? kv::kNeverExpires : calls.now_ms() + ttl_ms;
  const kv::WriteStatus status = is_new ? calls.transaction().set(key, value, expires)
                                        : calls.transaction().update(key, value);
  switch (status) {
    case kv::WriteStatus::ok: return kOk;
    case kv::WriteStatus::invalid_key: return kInvalid;
    case kv::WriteStatus::value_too_large:
    case kv::WriteStatus::namespace_full:
    case kv::WriteStatus::store_full:
    case kv::WriteStatus::transaction_too_large:
    case kv::WriteStatus::failed: break;
  }
  calls.note_refused_write();
  return kLimit;
}

std::optional<std::int32_t> kv_incr(HostCalls& calls, std::string_view key, std::int64_t delta,
                                    std::int64_t limit, std::int64_t ttl_ms,
                                    std::span<char, kCounterBytes> out) {
  if (ttl_ms < 0 || ttl_ms > kMaxTtlMs) return kInvalid;
  std::string_view value;
  const auto status = read(calls, key, value);
  if (!status) return std::nullopt;
  const bool is_new = *status == kv::ReadStatus::absent;
  std::int64_t present = 0;
  if (!is_new) {
    if (value.size() != kCounterBytes) return kWrongType;
    std::memcpy(&present, value.data(), sizeof(present));
  }
  if (is_new && delta == 0) return kMissing;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(present, delta, &sum)) return kOverflow;
  if ((delta > 0 && sum > limit) || (delta < 0 && sum < limit)) {
    std::memcpy(out.data(), &present, sizeof(present));
    return kUnmet;
  }
  if (delta != 0)
    if (const auto code = write_counter(calls, key, sum, is_new, ttl_ms); code != kOk) return code;
  std::memcpy(out.data(), &sum, sizeof(sum));
  return kOk;
}

std::optional<std::int32_t> hash_hex(HostCalls& calls, std::string_view in,
                                     std::span<char, kSha256HexBytes> out) {
  if (in.size() <= kSha256PieceBytes) {
    sha256_hex(in, out);
  } else if (!sha256_hex_while([&] { return !calls.is_out_of_time(); }, in, out)) {
    calls.stop(HostCalls::Stop::out_of_time);
    return std::nullopt;
  }
  return static_cast<std::int32_t>(kSha256HexBytes);
}

std::optional<std::int64_t> time_now_ms(HostCalls& calls) { return calls.now_ms(); }

}  // namespace

std::span<const HostFunction> state_imports() {
  static const std::array kFunctions{
      host_function<kv_get>("env", "kv_get"),
      host_function<kv_set>("env", "kv_set"),
      host_function<kv_delete>("env", "kv_delete"),
      host_function<kv_incr>("env", "kv_incr"),
      host_function<hash_hex, Purity::pure>("env", "sha256_hex"),
      host_function<time_now_ms>("env", "time_now_ms"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
