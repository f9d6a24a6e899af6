// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/module.hpp"

#include <algorithm>
#include <cassert>

namespace helios::plugins::detail {

namespace {

std::string to_string(const wasm_name_t* name) { return {name->data, name->size}; }

ValueType value_type(const wasm_valtype_t* type) {
  switch (wasm_valtype_kind(type)) {
    case WASM_I32: return ValueType::i32;
    case WASM_I64: return ValueType::i64;
    case WASM_F32: return ValueType::f32;
    case WASM_F64: return ValueType::f64;
    default: return ValueType::other;
  }
}

std::vector<ValueType> value_types(const wasm_valtype_vec_t* types) {
  std::vector<ValueType> out;
  for (std::size_t i = 0; i < types->size; ++i) out.push_back(value_type(types->data[i]));
  return out;
}

ExternKind extern_kind(const wasm_externtype_t* type) {
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC: return ExternKind::function;
    case WASM_EXTERN_MEMORY: return ExternKind::memory;
    case WASM_EXTERN_TABLE: return ExternKind::table;
    case WASM_EXTERN_GLOBAL: return ExternKind::global;
    default: return ExternKind::other;
  }
}

FunctionType function_type(const wasm_externtype_t* type) {
  const wasm_functype_t* const function = wasm_externtype_as_functype_const(type);
  if (function == nullptr) return {};
  return {value_types(wasm_functype_params(function)),
          value_types(wasm_functype_results(function))};
}

std::vector<ModuleImport> imports_of(const wasmtime_module_t* module) {
  OwnedVector<wasm_importtype_vec_t, wasm_importtype_vec_delete> types;
  wasmtime_module_imports(module, types.out());
  std::vector<ModuleImport> out;
  for (const wasm_importtype_t* type : types) {
    const wasm_externtype_t* const item = wasm_importtype_type(type);
    out.push_back({to_string(wasm_importtype_module(type)), to_string(wasm_importtype_name(type)),
                   extern_kind(item), function_type(item)});
  }
  return out;
}

std::vector<ModuleExport> exports_of(const wasmtime_module_t* module) {
  OwnedVector<wasm_exporttype_vec_t, wasm_exporttype_vec_delete> types;
  wasmtime_module_exports(module, types.out());
  std::vector<ModuleExport> out;
  for (const wasm_exporttype_t* type : types) {
    const wasm_externtype_t* const item = wasm_exporttype_type(type);
    out.push_back({to_string(wasm_exporttype_name(type)), extern_kind(item), function_type(item)});
  }
  return out;
}

ExportedFunctions exported_functions(const std::vector<ModuleExport>& exports) {
  ExportedFunctions exported{};
  for (const ModuleExport& one : exports) {
    const auto name = std::ranges::find(kGuestFunctionNames, one.name);
    if (one.kind == ExternKind::function && name != kGuestFunctionNames.end())
      exported[static_cast<std::size_t>(name - kGuestFunctionNames.begin())] = true;
  }
  return exported;
}

}  // namespace

base::Result<std::unique_ptr<WasmModule>> compile_module(std::shared_ptr<EngineCore> core,
                                                         std::string_view binary) {
  wasmtime_module_t* module = nullptr;
  const ErrorHandle error(wasmtime_module_new(core->engine.get(),
                                              reinterpret_cast<const std::uint8_t*>(binary.data()),
                                              binary.size(), &module));
  if (error) return base::fail(base::Errc::invalid, message_of(*error));
  return std::make_unique<WasmtimeModule>(std::move(core), ModuleHandle(module));
}

WasmtimeModule::WasmtimeModule(std::shared_ptr<EngineCore> core, ModuleHandle module)
    : core_(std::move(core)),
      module_(std::move(module)),
      imports_(imports_of(module_.get())),
      exports_(exports_of(module_.get())),
      exported_(exported_functions(exports_)) {}

base::Result<void> WasmtimeModule::link() {
  wasmtime_instance_pre_t* linked = nullptr;
  const ErrorHandle error(
      wasmtime_linker_instantiate_pre(core_->linker.get(), module_.get(), &linked));
  if (error) return base::fail(base::Errc::invalid, message_of(*error));
  linked_.reset(linked);
  return {};
}

std::expected<std::unique_ptr<WasmInstance>, Fault> WasmtimeModule::instantiate(
    const InstanceOptions& options) const {
  assert(linked_);
  auto instance = std::make_unique<WasmtimeInstance>(*core_, options);
  if (auto fault = instance->start(*linked_, exported_)) return std::unexpected(std::move(*fault));
  return instance;
}

}  // namespace helios::plugins::detail
