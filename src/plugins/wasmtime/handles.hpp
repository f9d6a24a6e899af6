// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owners for what wasmtime's C API hands out, and its errors as text.

#include <wasm.h>
#include <wasmtime.h>

#include <memory>
#include <string>
#include <string_view>

namespace helios::plugins::detail {

template <auto kDelete>
struct Deleter {
  void operator()(auto* object) const { kDelete(object); }
};

template <typename T, auto kDelete>
using Owned = std::unique_ptr<T, Deleter<kDelete>>;

using ConfigHandle = Owned<wasm_config_t, wasm_config_delete>;
using EngineHandle = Owned<wasm_engine_t, wasm_engine_delete>;
using ErrorHandle = Owned<wasmtime_error_t, wasmtime_error_delete>;
using FunctypeHandle = Owned<wasm_functype_t, wasm_functype_delete>;
using InstancePreHandle = Owned<wasmtime_instance_pre_t, wasmtime_instance_pre_delete>;
using LinkerHandle = Owned<wasmtime_linker_t, wasmtime_linker_delete>;
using ModuleHandle = Owned<wasmtime_module_t, wasmtime_module_delete>;
using StoreHandle = Owned<wasmtime_store_t, wasmtime_store_delete>;
using TrapHandle = Owned<wasm_trap_t, wasm_trap_delete>;

// An array of T that the engine filled in.
template <typename T, auto kDelete>
class OwnedVector {
 public:
  OwnedVector() = default;
  OwnedVector(const OwnedVector&) = delete;
  OwnedVector& operator=(const OwnedVector&) = delete;
  ~OwnedVector() { kDelete(&vector_); }

  [[nodiscard]] T* out() { return &vector_; }
  [[nodiscard]] auto begin() const { return vector_.data; }
  [[nodiscard]] auto end() const { return vector_.data + vector_.size; }
  [[nodiscard]] std::size_t size() const { return vector_.size; }

 private:
  T vector_{0, nullptr};
};

using Bytes = OwnedVector<wasm_byte_vec_t, wasm_byte_vec_delete>;

// `text` on one line and of bounded length: runs of white space become one space.
[[nodiscard]] std::string one_line(std::string_view text);

[[nodiscard]] std::string message_of(const wasmtime_error_t& error);
[[nodiscard]] std::string message_of(const wasm_trap_t& trap);

}  // namespace helios::plugins::detail
