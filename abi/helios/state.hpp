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
