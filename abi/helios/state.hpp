// SPDX-License-Identifier: Apache-2.0
#pragma once

// The state that survives between calls, and the clock. Everything that one hook call reads and
// writes here is one transaction: other calls see all of it or nothing, and a call whose reads went
// stale is run again. So `read, add one, write` counts exactly, whatever runs beside it.

#include "helios/numbers.hpp"
#include "helios/text.hpp"
#include "helios_abi1.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

namespace detail {

inline constexpr uint32_t kFirstReadBytes = 512;
inline constexpr uint32_t kLargestReadBytes = uint32_t{64} << 20;

inline uint32_t length_of(StringView text) {
  if (text.size() > INT32_MAX) fail();
  return static_cast<uint32_t>(text.size());
}

}  // namespace detail

// The value of a key, however large it is; nothing when there is no such key.
[[nodiscard]] inline Optional<String> kv_read(StringView key) {
  const uint32_t key_length = detail::length_of(key);
  for (uint32_t room = detail::kFirstReadBytes; room <= detail::kLargestReadBytes; room *= 8) {
    String value;
    value.reserve(room);
    const int32_t length = helios_kv_get(key.data(), key_length, value.data(), room);
    if (length >= 0) {
      value.assume_size(static_cast<size_t>(length));
      return value;
    }
    if (length != HELIOS_KV_TOO_SMALL) return {};
  }
  fail();
}

// Sets a key. False: the host refused it (the value is too large, or the namespace is full), and
// the old value is still there.
[[nodiscard]] inline bool kv_write(StringView key, StringView value) {
  return helios_kv_set(key.data(), detail::length_of(key), value.data(),
                       detail::length_of(value)) == 0;
}

// Deletes a key, whether it is there or not.
inline void kv_remove(StringView key) { helios_kv_delete(key.data(), detail::length_of(key)); }

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
