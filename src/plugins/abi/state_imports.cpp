// SPDX-License-Identifier: Apache-2.0

// The plugin's namespace as every plugin knows it, and what else a hook can have computed or be told.

#include "plugins/abi/hashing.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/state_access.hpp"

#include <array>
#include <optional>

namespace helios::plugins {

namespace {

constexpr std::int32_t kRefused = -1;  // of kv_set, which existing plugins know no other code of

std::optional<std::int32_t> kv_get(HostCalls& calls, std::string_view key, std::span<char> out) {
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  return present->is_there ? copy_out(present->entry.value, out) : kMissing;
}

std::optional<std::int32_t> kv_set(HostCalls& calls, std::string_view key, std::string_view value) {
  const kv::WriteStatus status = calls.transaction().set(key, value);
  if (status == kv::WriteStatus::ok) return kOk;
  calls.note_refused_write({"kv_set", status, kv::entry_bytes(key.size(), value.size())});
  return kRefused;
}

std::optional<std::int32_t> kv_delete(HostCalls& calls, std::string_view key) {
  // A key that could never have been set is as absent as any other afterwards.
  static_cast<void>(calls.transaction().erase(key));
  return kOk;
}

std::optional<std::int32_t> hash_hex(HostCalls& calls, std::string_view in,
                                     std::span<char, kSha256HexBytes> out) {
  return hash_to(calls, in, out);
}

std::optional<std::int64_t> time_now_ms(HostCalls& calls) { return calls.now_ms(); }

}  // namespace

std::span<const HostFunction> state_imports() {
  static const std::array kFunctions{
      host_function<kv_get>("env", "kv_get"),
      host_function<kv_set, Purity::writes>("env", "kv_set"),
      host_function<kv_delete, Purity::writes>("env", "kv_delete"),
      host_function<hash_hex, Purity::pure>("env", "sha256_hex"),
      host_function<time_now_ms>("env", "time_now_ms"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
