// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one wasmtime engine: its configuration, the linker that holds the host functions, and its
// clock. Modules and instances share it.

#include "plugins/wasm.hpp"
#include "plugins/wasmtime/epoch_ticker.hpp"
#include "plugins/wasmtime/handles.hpp"
#include "plugins/wasmtime/slot_order.hpp"

#include <memory>

namespace helios::plugins::detail {

// Members end in reverse order: the clock before the engine it ticks.
struct EngineCore {
  EngineHandle engine;
  LinkerHandle linker;
  std::unique_ptr<EpochTicker> ticker;
  SlotOrder slot_order;
};

class WasmtimeEngine : public WasmEngine {
 public:
  explicit WasmtimeEngine(std::shared_ptr<EngineCore> core) : core_(std::move(core)) {}

  base::Result<std::unique_ptr<WasmModule>> compile(std::string_view binary) const override;
  base::Result<std::string> assemble(std::string_view text) const override;

 private:
  std::shared_ptr<EngineCore> core_;
};

}  // namespace helios::plugins::detail
