// SPDX-License-Identifier: Apache-2.0
#pragma once

// The imports on the plugin's state, over FakeHost::state. Part of helios/fake_host.hpp.

#include "helios/fake_host.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include <stdint.h>

namespace helios::plugin::detail {

// What is under a key, or nullptr; what has expired goes.
inline const std::string* fake_value(const std::string& key) {
  FakeHost& host = FakeHost::require();
  const auto* expires = fake_find(host.expires_at_ms, key);
  if (expires != nullptr && *expires <= host.now_ms) {
    host.state.erase(key);
    host.expires_at_ms.erase(key);
  }
  return fake_find(host.state, key);
}

inline void fake_erase(const std::string& key) {
  FakeHost& host = FakeHost::require();
  host.state.erase(key);
  host.expires_at_ms.erase(key);
}

// A ttl_ms below 0 keeps the time that the key has.
inline int32_t fake_write(const std::string& key, std::string_view value, int64_t ttl_ms) {
  FakeHost& host = FakeHost::require();
  if (key.empty()) return HELIOS_INVALID;
  if (value.size() > host.max_value_bytes) return HELIOS_LIMIT;
  host.state[key] = value;
  host.note_write(key);
  if (ttl_ms == 0) host.expires_at_ms.erase(key);
  if (ttl_ms > 0) host.expires_at_ms[key] = host.now_ms + ttl_ms;
  return HELIOS_OK;
}

inline int64_t fake_number(const std::string& value) {
  int64_t number = 0;
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

inline std::string fake_bytes(int64_t number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

}  // namespace helios::plugin::detail

extern "C" {

HELIOS_FAKE int32_t helios_kv_get(const char* key, uint32_t key_len, char* out, uint32_t out_max) {
  using namespace helios::plugin;
  const auto* value = detail::fake_value(std::string(key, key_len));
  return value == nullptr ? HELIOS_MISSING : detail::fake_copy(*value, out, out_max);
}

HELIOS_FAKE int32_t helios_kv_set(const char* key, uint32_t key_len, const char* value,
                                  uint32_t value_len) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  const auto code = helios::plugin::detail::fake_write(std::string(key, key_len),
                                                       std::string_view(value, value_len), 0);
  return code == HELIOS_OK ? HELIOS_OK : -1;
}

HELIOS_FAKE int32_t helios_kv_delete(const char* key, uint32_t key_len) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  helios::plugin::detail::fake_erase(std::string(key, key_len));
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_kv_incr(const char* key, uint32_t key_len, int64_t delta, int64_t limit,
                                   int64_t ttl_ms, int64_t* out) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  using namespace helios::plugin;
  const std::string name(key, key_len);
  const std::string* value = detail::fake_value(name);
  if (value == nullptr && delta == 0) return HELIOS_MISSING;
  if (value != nullptr && value->size() != sizeof(int64_t)) return HELIOS_WRONG_TYPE;
  const int64_t present = value == nullptr ? 0 : detail::fake_number(*value);
  int64_t sum = 0;
  if (__builtin_add_overflow(present, delta, &sum)) return HELIOS_OVERFLOW;
  const bool is_beyond = (delta > 0 && sum > limit) || (delta < 0 && sum < limit);
  *out = is_beyond ? present : sum;
  if (is_beyond) return HELIOS_UNMET;
  if (delta == 0) return HELIOS_OK;
  return detail::fake_write(name, detail::fake_bytes(sum), value == nullptr ? ttl_ms : -1);
}

HELIOS_FAKE int32_t helios_kv_set_ex(const char* key, uint32_t key_len, const char* value,
                                     uint32_t value_len, int64_t ttl_ms, uint32_t flags) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  using namespace helios::plugin;
  const std::string name(key, key_len);
  const bool is_there = detail::fake_value(name) != nullptr;
  if (ttl_ms < 0 || name.empty()) return HELIOS_INVALID;
  if ((flags & (is_there ? HELIOS_KV_IF_ABSENT : HELIOS_KV_IF_PRESENT)) != 0) return HELIOS_UNMET;
  const bool keeps = is_there && (flags & HELIOS_KV_KEEP_TTL) != 0;
  return detail::fake_write(name, std::string_view(value, value_len), keeps ? -1 : ttl_ms);
}

HELIOS_FAKE int32_t helios_kv_get_ex(const char* key, uint32_t key_len, char* out, uint32_t out_max,
                                     helios_kv_meta* meta) {
  using namespace helios::plugin;
  const std::string name(key, key_len);
  const std::string* value = detail::fake_value(name);
  *meta = {};
  if (value == nullptr) return HELIOS_MISSING;
  FakeHost& host = FakeHost::require();
  const auto* expires = detail::fake_find(host.expires_at_ms, name);
  *meta = {host.version(name), static_cast<uint32_t>(value->size()), 0,
           expires == nullptr ? -1 : *expires - host.now_ms};
  return detail::fake_copy(*value, out, out_max);
}

HELIOS_FAKE int32_t helios_kv_cas(const char* key, uint32_t key_len, uint64_t version,
                                  const char* value, uint32_t value_len, int64_t ttl_ms,
                                  uint32_t flags, uint64_t* version_out) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  using namespace helios::plugin;
  const std::string name(key, key_len);
  if (ttl_ms < 0 || name.empty()) return HELIOS_INVALID;
  const bool is_there = detail::fake_value(name) != nullptr;
  const uint64_t present = is_there ? FakeHost::require().version(name) : HELIOS_VERSION_ABSENT;
  *version_out = present;
  if (present != version) return HELIOS_UNMET;
  if ((flags & HELIOS_KV_DELETE) != 0) {
    detail::fake_erase(name);
    *version_out = HELIOS_VERSION_ABSENT;
    return HELIOS_OK;
  }
  *version_out = HELIOS_VERSION_OWN;
  const bool keeps = is_there && (flags & HELIOS_KV_KEEP_TTL) != 0;
  return detail::fake_write(name, std::string_view(value, value_len), keeps ? -1 : ttl_ms);
}

// As the proxy does it: what is stored is the nanosecond at which the bucket is full.
HELIOS_FAKE int32_t helios_kv_take(const char* key, uint32_t key_len, int64_t cost, int64_t burst,
                                   int64_t tokens, int64_t period_ns, helios_kv_bucket* bucket) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  using namespace helios::plugin;
  const std::string name(key, key_len);
  if (burst < 0 || tokens < 1 || period_ns < tokens || name.empty()) return HELIOS_INVALID;
  const int64_t interval = period_ns / tokens + (period_ns % tokens == 0 ? 0 : 1);
  if (burst > INT64_MAX / 8 / interval) return HELIOS_OVERFLOW;
  const std::string* value = detail::fake_value(name);
  if (value != nullptr && value->size() != sizeof(int64_t)) return HELIOS_WRONG_TYPE;
  const int64_t now = FakeHost::require().now_ms * 1000000;
  const int64_t empty = now + burst * interval;
  int64_t full = std::max(value == nullptr ? now : detail::fake_number(*value), now);
  const bool fits = cost <= burst;
  const int64_t wanted = full + (fits ? std::max(cost, -burst - 1) : 0) * interval;
  const bool allowed = cost <= 0 || (fits && wanted <= empty);
  const int64_t retry_after = allowed ? 0 : fits ? wanted - empty : -1;
  if (allowed && cost != 0) {
    full = std::max(wanted, now);
    if (full == now) detail::fake_erase(name);
    if (full > now) detail::fake_write(name, detail::fake_bytes(full), 0);
  }
  *bucket = {std::max<int64_t>(empty - full, 0) / interval, retry_after, full - now};
  return allowed ? 1 : 0;
}

HELIOS_FAKE int32_t helios_kv_draw(const char* key, uint32_t key_len, int64_t cost, int64_t burst,
                                   int64_t tokens, int64_t period_ns) {
  helios_kv_bucket bucket{};
  return helios_kv_take(key, key_len, cost, burst, tokens, period_ns, &bucket);
}

HELIOS_FAKE int32_t helios_kv_charge(const char* key, uint32_t key_len, int64_t amount,
                                     int64_t limit, int64_t ttl_ms) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  using namespace helios::plugin;
  const std::string name(key, key_len);
  if (ttl_ms < 0 || name.empty()) return HELIOS_INVALID;
  const std::string* value = detail::fake_value(name);
  if (value != nullptr && value->size() != sizeof(int64_t)) return HELIOS_WRONG_TYPE;
  int64_t sum = 0;
  const int64_t present = value == nullptr ? 0 : detail::fake_number(*value);
  if (__builtin_add_overflow(present, amount, &sum)) return 0;
  if (amount < 0 ? sum < limit : sum > limit) return 0;
  if (amount == 0) return 1;
  const auto code =
      detail::fake_write(name, detail::fake_bytes(sum), value == nullptr ? ttl_ms : -1);
  return code == HELIOS_OK ? 1 : code;
}

HELIOS_FAKE int32_t helios_kv_scan(const char* prefix, uint32_t prefix_len, const char* after,
                                   uint32_t after_len, char* out, uint32_t out_max) {
  using namespace helios::plugin;
  const std::string wanted(prefix, prefix_len);
  const std::string last(after, after_len);
  std::string page;
  const auto state = FakeHost::require().state;  // what has expired goes while it is looked at
  for (const auto& [key, value] : state) {
    if (!key.starts_with(wanted) || (!last.empty() && key <= last)) continue;
    if (detail::fake_value(key) == nullptr) continue;
    if (page.size() + 8 + key.size() > out_max) {
      if (page.empty()) return HELIOS_TOO_SMALL;
      break;
    }
    const uint32_t sizes[2] = {static_cast<uint32_t>(key.size()),
                               static_cast<uint32_t>(value.size())};
    page.append(reinterpret_cast<const char*>(sizes), sizeof sizes).append(key);
  }
  return detail::fake_copy(page, out, out_max);
}

HELIOS_FAKE int32_t helios_stream_append(const char* stream, uint32_t stream_len,
                                         const char* record, uint32_t record_len) {
  if (!helios::plugin::FakeHost::require().may_write()) return HELIOS_INVALID;
  helios::plugin::FakeHost& host = helios::plugin::FakeHost::require();
  if (stream_len == 0) return HELIOS_INVALID;
  if (record_len > host.max_record_bytes) return HELIOS_LIMIT;
  host.streams[std::string(stream, stream_len)].emplace_back(record, record_len);
  return HELIOS_OK;
}

}  // extern "C"
