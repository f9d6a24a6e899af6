// SPDX-License-Identifier: Apache-2.0
#include "plugins/host_imports.hpp"

#include "plugins/host_calls.hpp"
#include "plugins/host_function.hpp"
#include "plugins/sha256.hpp"

#include <array>
#include <cstring>
#include <optional>

namespace helios::plugins {

namespace {

constexpr std::int32_t kMissing = -1;
constexpr std::int32_t kTooSmall = -2;
constexpr std::int32_t kRefused = -1;

std::optional<std::int32_t> kv_get(HostCalls& calls, std::string_view key, std::span<char> out) {
  std::string_view value;
  switch (calls.transaction().get(key, value)) {
    case kv::ReadStatus::value:
      if (value.size() > out.size()) return kTooSmall;
      if (!value.empty()) std::memcpy(out.data(), value.data(), value.size());
      return static_cast<std::int32_t>(value.size());
    case kv::ReadStatus::absent: return kMissing;
    case kv::ReadStatus::not_resident: calls.stop(HostCalls::Stop::not_resident); break;
    case kv::ReadStatus::doomed: calls.stop(HostCalls::Stop::doomed); break;
    case kv::ReadStatus::failed: calls.stop(HostCalls::Stop::store_failed); break;
  }
  return std::nullopt;
}

std::optional<std::int32_t> kv_set(HostCalls& calls, std::string_view key, std::string_view value) {
  if (calls.transaction().set(key, value) == kv::WriteStatus::ok) return 0;
  calls.note_refused_write();
  return kRefused;
}

std::optional<std::int32_t> kv_delete(HostCalls& calls, std::string_view key) {
  // A key that could never have been set is as absent as any other afterwards.
  static_cast<void>(calls.transaction().erase(key));
  return 0;
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

std::span<const HostFunction> host_imports() {
  static const std::array kFunctions{
      host_function<kv_get>("env", "kv_get"),
      host_function<kv_set>("env", "kv_set"),
      host_function<kv_delete>("env", "kv_delete"),
      host_function<hash_hex, Purity::pure>("env", "sha256_hex"),
      host_function<time_now_ms>("env", "time_now_ms"),
  };
  return kFunctions;
}

const HostFunction* find_host_import(std::string_view module, std::string_view name) {
  for (const HostFunction& function : host_imports())
    if (function.module == module && function.name == name) return &function;
  return nullptr;
}

}  // namespace helios::plugins
