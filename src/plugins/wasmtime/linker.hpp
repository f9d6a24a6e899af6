// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host functions on wasmtime's side: what a store carries for them, and how a guest's call reaches
// HostFunction::entry.

#include "plugins/wasm.hpp"
#include "plugins/wasmtime/handles.hpp"

namespace helios::plugins::detail {

// The user data of every store.
struct StoreData {
  HostCalls* calls = nullptr;
  wasmtime_memory_t memory{};
  char* memory_base = nullptr;  // where it stays: the engine never moves memories
  bool has_memory = false;      // false until the instance exists: its start function runs before
};

// Makes `function` importable. Requires: it outlives the linker.
void define_host_function(wasmtime_linker_t& linker, const HostFunction& function);

}  // namespace helios::plugins::detail
