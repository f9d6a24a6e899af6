// SPDX-License-Identifier: Apache-2.0
#include "plugins/module_limits.hpp"

#include "plugins/wasm_cursor.hpp"

#include <optional>
#include <string>

namespace helios::plugins {

namespace {

using Check = base::Result<void>;
using namespace std::literals;

constexpr std::string_view kComponentVersion = "\x0d\0\x01\0"sv;
constexpr unsigned char kFunctionType = 0x60;

Check over(std::string_view what, std::uint64_t count, std::uint64_t limit) {
  if (count <= limit) return {};
  return base::fail(base::Errc::invalid, "has " + std::to_string(count) + " " + std::string(what) +
                                             "; the limit is " + std::to_string(limit));
}

Check check_types(WasmCursor types, std::uint32_t count, const ModuleLimits& limits) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (types.byte() != kFunctionType) return {};
    for (const std::string_view what :
         {"parameters in one function type"sv, "results in one function type"sv}) {
      const auto values = types.number();
      if (!values) return {};
      if (auto checked = over(what, *values, limits.values_per_type); !checked) return checked;
      if (!types.take(*values)) return {};
    }
  }
  return {};
}

Check check_locals(WasmCursor body, const ModuleLimits& limits) {
  const auto groups = body.number();
  std::uint64_t locals = 0;
  for (std::uint32_t i = 0; groups && i < *groups; ++i) {
    const auto count = body.number();
    if (!count || !body.byte()) return {};
    locals += *count;
    if (auto checked = over("locals in one function", locals, limits.locals_per_function); !checked)
      return checked;
  }
  return {};
}

Check check_code(WasmCursor code, std::uint32_t count, const ModuleLimits& limits) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto size = code.number();
    if (!size) return {};
    if (auto checked = over("bytes in one function", *size, limits.function_bytes); !checked)
      return checked;
    const auto body = code.take(*size);
    if (!body) return {};
    if (auto checked = check_locals(WasmCursor(*body), limits); !checked) return checked;
  }
  return {};
}

Check check_section(unsigned char id, WasmCursor content, const ModuleLimits& limits) {
  const auto count = content.number();
  if (!count) return {};
  switch (id) {
    case kTypeSection:
      if (auto checked = over("types", *count, limits.types); !checked) return checked;
      return check_types(content, *count, limits);
    case kImportSection: return over("imports", *count, limits.imports);
    case kFunctionSection: return over("functions", *count, limits.functions);
    case kGlobalSection: return over("globals", *count, limits.globals);
    case kExportSection: return over("exports", *count, limits.exports);
    case kElementSection: return over("element segments", *count, limits.elements);
    case kCodeSection: return check_code(content, *count, limits);
    case kDataSection: return over("data segments", *count, limits.data);
    default: return {};
  }
}

}  // namespace

base::Result<void> check_module_limits(std::string_view binary, const ModuleLimits& limits) {
  WasmCursor module(binary);
  const auto header = module.take(kWasmHeaderBytes);
  if (!header || !header->starts_with(kWasmMagic)) return {};
  if (header->ends_with(kComponentVersion))
    return base::fail(base::Errc::invalid, "is a component; a plugin is a core module");
  while (!module.at_end()) {
    const auto id = module.byte();
    const auto size = module.number();
    const auto content = size ? module.take(*size) : std::nullopt;
    if (!content) return {};
    if (auto checked = check_section(*id, WasmCursor(*content), limits); !checked) return checked;
  }
  return {};
}

}  // namespace helios::plugins
