// SPDX-License-Identifier: Apache-2.0
#pragma once

// One compiled module.

#include "plugins/wasm.hpp"
#include "plugins/wasmtime/engine.hpp"
#include "plugins/wasmtime/handles.hpp"
#include "plugins/wasmtime/instance.hpp"

#include <memory>
#include <vector>

namespace helios::plugins::detail {

[[nodiscard]] base::Result<std::unique_ptr<WasmModule>> compile_module(
    std::shared_ptr<EngineCore> core, std::string_view binary);

class WasmtimeModule : public WasmModule {
 public:
  WasmtimeModule(std::shared_ptr<EngineCore> core, ModuleHandle module);

  const std::vector<ModuleImport>& imports() const override { return imports_; }
  const std::vector<ModuleExport>& exports() const override { return exports_; }
  base::Result<void> link() override;
  std::expected<std::unique_ptr<WasmInstance>, Fault> instantiate(
      const InstanceOptions& options) const override;

 private:
  std::shared_ptr<EngineCore> core_;
  ModuleHandle module_;
  InstancePreHandle linked_;  // null until link()
  std::vector<ModuleImport> imports_;
  std::vector<ModuleExport> exports_;
  ExportedFunctions exported_;
};

}  // namespace helios::plugins::detail
