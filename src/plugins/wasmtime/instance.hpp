// SPDX-License-Identifier: Apache-2.0
#pragma once

// One instance in a store of its own: wasmtime frees instances only with their store.

#include "plugins/wasm.hpp"
#include "plugins/wasmtime/engine.hpp"
#include "plugins/wasmtime/handles.hpp"
#include "plugins/wasmtime/linker.hpp"

#include <array>
#include <optional>

namespace helios::plugins::detail {

using ExportedFunctions = std::array<bool, kGuestFunctionNames.size()>;

class WasmtimeInstance : public WasmInstance {
 public:
  // Requires: `core` outlives the instance.
  WasmtimeInstance(EngineCore& core, const InstanceOptions& options);
  ~WasmtimeInstance() override;

  // Makes the instance and runs its start function. To be called once, first. `exported`: which of
  // the guest functions the module has.
  std::optional<Fault> start(const wasmtime_instance_pre_t& linked,
                             const ExportedFunctions& exported);

  GuestMemory memory() override;
  void arm(HostCalls& calls, std::uint32_t deadline_ticks) override;
  std::expected<std::uint64_t, Fault> call(GuestFunction function,
                                           std::initializer_list<std::uint64_t> arguments) override;

 private:
  static wasmtime_error_t* on_tick(wasmtime_context_t* context, void* self, std::uint64_t* delta,
                                   wasmtime_update_deadline_kind_t* kind);
  bool find_export(std::string_view name, wasmtime_extern_t& item);

  EngineCore& core_;
  StoreData data_;
  StoreHandle store_;  // ends before data_
  wasmtime_context_t* context_;
  wasmtime_instance_t instance_{};
  std::array<wasmtime_func_t, kGuestFunctionNames.size()> functions_{};
  bool was_interrupted_ = false;
};

}  // namespace helios::plugins::detail
