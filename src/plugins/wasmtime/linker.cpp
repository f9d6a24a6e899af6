// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/linker.hpp"

#include "plugins/abi/host_calls.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <exception>

namespace helios::plugins::detail {

namespace {

constexpr std::size_t kMaxHostValues = 8;

wasm_valtype_t* to_wasm(ValueType type) {
  assert(type == ValueType::i32 || type == ValueType::i64);
  return wasm_valtype_new(type == ValueType::i64 ? WASM_I64 : WASM_I32);
}

FunctypeHandle to_wasm(const FunctionType& type) {
  const auto convert = [](const std::vector<ValueType>& types, wasm_valtype_vec_t& out) {
    wasm_valtype_vec_new_uninitialized(&out, types.size());
    for (std::size_t i = 0; i < types.size(); ++i) out.data[i] = to_wasm(types[i]);
  };
  wasm_valtype_vec_t params;
  wasm_valtype_vec_t results;
  convert(type.params, params);
  convert(type.results, results);
  return FunctypeHandle(wasm_functype_new(&params, &results));
}

GuestMemory memory_of(wasmtime_caller_t* caller, wasmtime_context_t* context,
                      const StoreData& data) {
  if (data.has_memory) return {data.memory_base, wasmtime_memory_data_size(context, &data.memory)};
  wasmtime_extern_t item;
  if (!wasmtime_caller_export_get(caller, "memory", 6, &item) ||
      item.kind != WASMTIME_EXTERN_MEMORY)
    return {};
  return {reinterpret_cast<char*>(wasmtime_memory_data(context, &item.of.memory)),
          wasmtime_memory_data_size(context, &item.of.memory)};
}

// No exception may pass through the frames of guest code.
bool call_entry(const HostFunction& function, HostCalls& calls, const GuestMemory& memory,
                std::uint64_t* values) noexcept {
  try {
    return function.entry(function, calls, memory, values);
  } catch (const std::exception& error) {
    calls.stop_fault(error.what());
  } catch (...) {
    calls.stop_fault("not a std::exception");
  }
  return false;
}

wasm_trap_t* call_host(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* raw,
                       std::size_t) noexcept {
  const auto& function = *static_cast<const HostFunction*>(env);
  wasmtime_context_t* const context = wasmtime_caller_context(caller);
  const auto& data = *static_cast<const StoreData*>(wasmtime_context_get_data(context));
  std::array<std::uint64_t, kMaxHostValues> values{};
  for (std::size_t i = 0; i < function.type.params.size(); ++i)
    values[i] = static_cast<std::uint64_t>(raw[i].i64);
  if (!call_entry(function, *data.calls, memory_of(caller, context, data), values.data())) {
    constexpr std::string_view kText = "ended by the host";
    return wasmtime_trap_new(kText.data(), kText.size());
  }
  if (!function.type.results.empty()) raw[0].i64 = static_cast<std::int64_t>(values[0]);
  return nullptr;
}

}  // namespace

void define_host_function(wasmtime_linker_t& linker, const HostFunction& function) {
  assert(std::max(function.type.params.size(), function.type.results.size()) <= kMaxHostValues);
  const FunctypeHandle type = to_wasm(function.type);
  // The engine hands `env` back as it got it; call_host only reads it.
  auto* const env = const_cast<HostFunction*>(&function);
  [[maybe_unused]] const ErrorHandle error(wasmtime_linker_define_func_unchecked(
      &linker, function.module.data(), function.module.size(), function.name.data(),
      function.name.size(), type.get(), call_host, env, nullptr));
  assert(!error);  // only a name defined twice could fail
}

}  // namespace helios::plugins::detail
