// SPDX-License-Identifier: Apache-2.0
#pragma once

// The state that survives between calls, and the clock. Everything that one hook call reads and
// writes here is one transaction: other calls see all of it or nothing, and a call whose reads went
// stale is run again. So `read, add one, write` counts exactly, whatever runs beside it.

#include "helios/numbers.hpp"
#include "helios/query.hpp"
#include "helios/text.hpp"
#include "helios_abi2.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

// The value of a key, however large it is; nothing when there is no such key.
[[nodiscard]] inline Optional<String> kv_read(StringView key) {
  return detail::read_bytes([key](char* out, uint32_t max) {
    return helios_kv_get(key.data(), detail::length_of(key), out, max);
  });
}

// Sets a key. False: the host refused it (the value is too large, or the namespace is full), and
// the old value is still there.
[[nodiscard]] inline bool kv_write(StringView key, StringView value) {
  return helios_kv_set(key.data(), detail::length_of(key), value.data(),
                       detail::length_of(value)) == 0;
}

// Deletes a key, whether it is there or not.
inline void kv_remove(StringView key) { helios_kv_delete(key.data(), detail::length_of(key)); }

// Adds to a counter of 8 bytes, which begins at 0, and returns the sum; nothing when the host refused it:
// the value is not a counter, or the namespace is full.
[[nodiscard]] inline Optional<int64_t> kv_increment(StringView key, int64_t delta = 1) {
  int64_t sum = 0;
  const int64_t limit = delta < 0 ? HELIOS_NO_LOWER_LIMIT : HELIOS_NO_UPPER_LIMIT;
  if (helios_kv_incr(key.data(), detail::length_of(key), delta, limit, 0, &sum) != HELIOS_OK)
    return {};
  return sum;
}

// How a write with a condition was taken.
enum class Written {
  done,
  unmet,    // the condition did not hold; nothing was changed
  refused,  // by the host: the value is too large, the namespace is full, or the key cannot be one
};

namespace detail {

inline Written written(int32_t code) {
  if (code == HELIOS_OK) return Written::done;
  return code == HELIOS_UNMET ? Written::unmet : Written::refused;
}

inline Written set_ex(StringView key, StringView value, int64_t ttl_ms, uint32_t flags) {
  return written(
      helios_kv_set_ex(key.data(), length_of(key), value.data(), length_of(value), ttl_ms, flags));
}

inline Written cas(StringView key, uint64_t version, StringView value, int64_t ttl_ms,
                   uint32_t flags) {
  uint64_t present = 0;
  return written(helios_kv_cas(key.data(), length_of(key), version, value.data(), length_of(value),
                               ttl_ms, flags, &present));
}

}  // namespace detail

// Sets a key that is gone `ttl_ms` milliseconds later.
[[nodiscard]] inline Written kv_write_for(StringView key, StringView value, int64_t ttl_ms) {
  return detail::set_ex(key, value, ttl_ms, 0);
}

// Sets a key only if it is not there: of any number of calls, one is done. A ttl_ms of 0 is for ever.
[[nodiscard]] inline Written kv_create(StringView key, StringView value, int64_t ttl_ms = 0) {
  return detail::set_ex(key, value, ttl_ms, HELIOS_KV_IF_ABSENT);
}

// Sets a key only if it is there, without changing when it expires.
[[nodiscard]] inline Written kv_replace(StringView key, StringView value) {
  return detail::set_ex(key, value, 0, HELIOS_KV_IF_PRESENT | HELIOS_KV_KEEP_TTL);
}

// A value with what belongs to it.
struct Entry {
  String value;
  uint64_t version = HELIOS_VERSION_ABSENT;  // HELIOS_VERSION_OWN: this hook call wrote it
  Optional<int64_t> ttl_left_ms;             // nothing: it never expires
};

// Nothing when there is no such key.
[[nodiscard]] inline Optional<Entry> kv_read_entry(StringView key) {
  helios_kv_meta meta{};
  Entry entry;
  const Optional<String> value = detail::read_bytes([key, &meta](char* out, uint32_t max) {
    return helios_kv_get_ex(key.data(), detail::length_of(key), out, max, &meta);
  });
  if (!value) return {};
  entry.value = *value;
  entry.version = meta.version;
  if (meta.ttl_left_ms >= 0) entry.ttl_left_ms = meta.ttl_left_ms;
  return entry;
}

// Sets or deletes a key if it still has the version that was read, in this call or an earlier one;
// HELIOS_VERSION_ABSENT: if it is not there.
[[nodiscard]] inline Written kv_write_if(StringView key, uint64_t version, StringView value,
                                         int64_t ttl_ms = 0) {
  return detail::cas(key, version, value, ttl_ms, 0);
}
[[nodiscard]] inline Written kv_remove_if(StringView key, uint64_t version) {
  return detail::cas(key, version, {}, 0, HELIOS_KV_DELETE);
}

// A token bucket: it holds `burst` tokens and gets `tokens` back in `period_ms`.
struct Rate {
  int64_t burst = 0;
  int64_t tokens = 1;
  int64_t period_ms = 1000;
};

struct Taken {
  bool allowed = false;
  int64_t remaining = 0;       // whole tokens that are left
  int64_t retry_after_ns = 0;  // when not allowed: how long until it would be; -1: never
  int64_t reset_after_ns = 0;  // until the bucket is full
};

// Takes `cost` tokens from the bucket under a key, all or none. A cost of 0 only looks, a negative one gives
// back. Nothing when the host refused it: the rate is absurd, the value is not a bucket, the namespace full.
[[nodiscard]] inline Optional<Taken> kv_take(StringView key, const Rate& rate, int64_t cost = 1) {
  constexpr int64_t kNsPerMs = 1000000;
  if (rate.period_ms > INT64_MAX / kNsPerMs) return {};
  helios_kv_bucket bucket{};
  const int32_t code = helios_kv_take(key.data(), detail::length_of(key), cost, rate.burst,
                                      rate.tokens, rate.period_ms * kNsPerMs, &bucket);
  if (code < 0) return {};
  return Taken{code == 1, bucket.remaining, bucket.retry_after_ns, bucket.reset_after_ns};
}

// The same, when only yes or no matters: calls that draw from one bucket at once do not run again because of it.
[[nodiscard]] inline Optional<bool> kv_draw(StringView key, const Rate& rate, int64_t cost = 1) {
  constexpr int64_t kNsPerMs = 1000000;
  if (rate.period_ms > INT64_MAX / kNsPerMs) return {};
  const int32_t code = helios_kv_draw(key.data(), detail::length_of(key), cost, rate.burst,
                                      rate.tokens, rate.period_ms * kNsPerMs);
  if (code < 0) return {};
  return code == 1;
}

// Adds to a counter of 8 bytes if the sum stays within `limit` (at most that; with a negative amount at least
// that), and says whether it did; 0 only asks. A counter that this makes is gone `ttl_ms` milliseconds later,
// 0: never. Calls that only charge a key at once do not run again because of it; one that reads it too does.
// Nothing when the host refused it: the value is not a counter, or the namespace is full.
[[nodiscard]] inline Optional<bool> kv_charge(StringView key, int64_t amount, int64_t limit,
                                              int64_t ttl_ms = 0) {
  const int32_t code = helios_kv_charge(key.data(), detail::length_of(key), amount, limit, ttl_ms);
  if (code < 0) return {};
  return code == 1;
}

// Calls `visit(key, value_size)` for each key that begins with `prefix`, in order, until it returns false.
// When keys come or go meanwhile, the hook call runs again: for tidying up, not for every statement.
template <class Visit>
void kv_each(StringView prefix, Visit visit) {
  String page;
  String after;
  uint32_t room = 4096;
  for (;;) {
    page.reserve(room);
    const int32_t bytes = helios_kv_scan(prefix.data(), detail::length_of(prefix), after.data(),
                                         detail::length_of(after), page.data(), room);
    if (bytes == HELIOS_TOO_SMALL && room < detail::kLargestReadBytes) {
      room *= 8;
      continue;
    }
    if (bytes < 0) fail();
    if (bytes == 0) return;
    page.assume_size(static_cast<size_t>(bytes));
    StringView key;
    for (size_t at = 0; at < page.size(); at += 8 + key.size()) {
      uint32_t sizes[2];
      __builtin_memcpy(sizes, page.data() + at, sizeof sizes);
      key = page.view().part(at + 8, sizes[0]);
      if (!visit(key, sizes[1])) return;
    }
    after = key;
  }
}

// Appends a record to a stream of the namespace: numbered, chained, and on disk (helios_stream_append()). False:
// the host refused it (the record is too large, there is no room, or the name is none), and nothing was appended.
[[nodiscard]] inline bool stream_append(StringView stream, StringView record) {
  return helios_stream_append(stream.data(), detail::length_of(stream), record.data(),
                              detail::length_of(record)) == HELIOS_OK;
}

// A line for the proxy's log, and an amount for a counter of /metrics. Neither happens when the call
// does not.
inline void log_info(StringView line) {
  helios_log(HELIOS_LOG_INFO, line.data(), detail::length_of(line));
}
inline void log_warning(StringView line) {
  helios_log(HELIOS_LOG_WARNING, line.data(), detail::length_of(line));
}
inline void metric_add(StringView name, int64_t amount = 1) {
  helios_metric_add(name.data(), detail::length_of(name), amount);
}

// The SHA-256 of some bytes as 64 lower-case hexadecimal digits.
[[nodiscard]] inline String sha256_hex(StringView bytes) {
  constexpr uint32_t kDigits = 64;
  String digest;
  digest.reserve(kDigits);
  if (helios_sha256_hex(bytes.data(), detail::length_of(bytes), digest.data()) != kDigits) fail();
  digest.assume_size(kDigits);
  return digest;
}

// Milliseconds since 1970-01-01 UTC, the same value throughout one hook call.
[[nodiscard]] inline int64_t now_ms() { return helios_time_now_ms(); }

}  // namespace helios::plugin
