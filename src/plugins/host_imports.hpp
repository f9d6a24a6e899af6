// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions of import module `env`: what a plugin can ask of the proxy. Their names, types and
// answers are a promise to compiled plugins and never change.
//
//   kv_get(key, key_len, out, out_max) -> length | -1 missing | -2 out is too small
//   kv_set(key, key_len, value, value_len) -> 0 | -1 refused by the store's limits
//   kv_delete(key, key_len) -> 0
//   sha256_hex(in, in_len, out) -> 64, and 64 lower-case hexadecimal digits in out
//   time_now_ms() -> i64, milliseconds since 1970; one value per attempt

#include "plugins/wasm.hpp"

#include <span>
#include <string_view>

namespace helios::plugins {

// All of them. Static storage.
[[nodiscard]] std::span<const HostFunction> host_imports();

// The one called `name`, or nullptr.
[[nodiscard]] const HostFunction* find_host_import(std::string_view module, std::string_view name);

}  // namespace helios::plugins
