// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a plugin can ask of the proxy: the functions of import module `env`, as abi/helios_abi1.h and
// abi/helios_abi2.h describe them (one set for both), and the harmless part of WASI that language
// runtimes import. Their names, types and answers are a promise to compiled plugins and never change.

#include "plugins/wasm.hpp"

#include <span>
#include <string_view>

namespace helios::plugins {

// All of them. Static storage.
[[nodiscard]] std::span<const HostFunction> host_imports();

// The one called `name`, or nullptr.
[[nodiscard]] const HostFunction* find_host_import(std::string_view module, std::string_view name);

// Its parts, by what they are about.
[[nodiscard]] std::span<const HostFunction> state_imports();
[[nodiscard]] std::span<const HostFunction> entry_imports();
[[nodiscard]] std::span<const HostFunction> counter_imports();
[[nodiscard]] std::span<const HostFunction> stream_imports();
[[nodiscard]] std::span<const HostFunction> statement_imports();
[[nodiscard]] std::span<const HostFunction> parameter_imports();
[[nodiscard]] std::span<const HostFunction> verdict_imports();
[[nodiscard]] std::span<const HostFunction> wasi_imports();

}  // namespace helios::plugins
