// SPDX-License-Identifier: Apache-2.0
#include "plugins/module_shape.hpp"

#include "base/text.hpp"
#include "plugins/abi/host_imports.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

namespace {

using Check = base::Result<void>;

const FunctionType kAlloc{{ValueType::i32}, {ValueType::i32}};
const FunctionType kDealloc{{ValueType::i32, ValueType::i32}, {}};
const FunctionType kHook{{ValueType::i32, ValueType::i32}, {ValueType::i64}};
const FunctionType kObserver{{ValueType::i32, ValueType::i32}, {}};
const FunctionType kInitialize{{}, {}};
const FunctionType kVersion{{}, {ValueType::i32}};
const FunctionType kPlainHook{{}, {ValueType::i32}};
const FunctionType kPlainObserver{{}, {}};

// Hooks that plugins of this ABI may export and that this version does not call.
constexpr std::array<std::string_view, 10> kUncalledHooks{
    "route",   "authorize",  "cache_get",     "cache_set",   "rewrite",
    "metrics", "on_connect", "on_disconnect", "custom_hook", "on_load"};

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

std::string quote(std::string_view name) { return "\"" + base::escape_for_log(name, 80) + "\""; }

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const ModuleExport* find_export(const WasmModule& module, std::string_view name) {
  const auto found = std::ranges::find(module.exports(), name, &ModuleExport::name);
  return found == module.exports().end() ? nullptr : &*found;
}

bool is_one_of(const FunctionType& type, const std::vector<const FunctionType*>& wanted) {
  return std::ranges::any_of(wanted, [&](const FunctionType* one) { return *one == type; });
}

// The export must be there and a function of one of the types.
Check check_function(const WasmModule& module, std::string_view name,
                     const std::vector<const FunctionType*>& wanted) {
  const ModuleExport* const found = find_export(module, name);
  const std::string expected = to_text(**wanted.begin());
  if (found == nullptr)
    return invalid("does not export the function " + quote(name) + ": " + expected);
  if (found->kind != ExternKind::function)
    return invalid("exports " + quote(name) + ", but not as a function");
  if (!is_one_of(found->type, wanted))
    return invalid("exports " + quote(name) + " as " + to_text(found->type) + "; it must be " +
                   expected);
  return {};
}

Check check_import(const ModuleImport& import, const Manifest& manifest) {
  const std::string name = quote(import.module + "." + import.name);
  const HostFunction* const offered = find_host_import(import.module, import.name);
  if (import.kind != ExternKind::function || offered == nullptr)
    return invalid("imports " + name + ", which the proxy does not offer");
  if (manifest.imports && import.module == "env" &&
      std::ranges::find(*manifest.imports, import.name) == manifest.imports->end())
    return invalid("imports " + name + ", which its manifest does not grant");
  if (import.type != offered->type)
    return invalid("imports " + name + " as " + to_text(import.type) + "; it is " +
                   to_text(offered->type));
  return {};
}

Check check_imports(const WasmModule& module, const Manifest& manifest) {
  for (const ModuleImport& import : module.imports())
    if (auto checked = check_import(import, manifest); !checked) return checked;
  return {};
}

Check check_memory(const WasmModule& module) {
  const ModuleExport* const memory = find_export(module, "memory");
  if (memory == nullptr || memory->kind != ExternKind::memory)
    return invalid("does not export its memory as \"memory\"");
  return {};
}

Check check_allocator(const WasmModule& module) {
  if (auto checked = check_function(module, "alloc", {&kAlloc}); !checked) return checked;
  return check_function(module, "dealloc", {&kDealloc});
}

// Is the hook to be called? By the manifest where it says so, else by the exports.
bool wants_hook(const WasmModule& module, const Manifest& manifest, std::string_view name,
                ModuleShape& shape) {
  const bool exported = find_export(module, name) != nullptr;
  if (!manifest.hooks) return exported;
  const bool named = std::ranges::find(*manifest.hooks, name) != manifest.hooks->end();
  if (exported && !named)
    shape.warnings.push_back("exports " + quote(name) +
                             ", which its manifest does not name: it is not called");
  return named;
}

// The types that a hook may have, the usual one first.
std::vector<const FunctionType*> types_of(std::string_view hook, bool is_abi2) {
  if (is_abi2) return {&kPlainHook, &kPlainObserver};
  if (hook == "post_query") return {&kHook, &kObserver};
  return {&kHook};
}

bool is_uncalled_hook(const ModuleExport& one) {
  return std::ranges::find(kUncalledHooks, one.name) != kUncalledHooks.end();
}

// Warns of the hooks that stay uncalled. Returns whether there are some, and the manifest says of each that the
// plugin can do without it.
bool note_uncalled(const WasmModule& module, const Manifest& manifest, ModuleShape& shape) {
  bool has_any = false;
  bool all_optional = true;
  for (const ModuleExport& one : module.exports()) {
    if (!is_uncalled_hook(one)) continue;
    has_any = true;
    all_optional &= contains(manifest.optional_hooks, one.name);
    shape.warnings.push_back("exports " + quote(one.name) +
                             ", a hook that this version does not call yet");
  }
  return has_any && all_optional;
}

// Whoever installs a guard must not be left in the belief that it guards.
std::string no_hook_to_call(const WasmModule& module) {
  std::string uncalled;
  for (const ModuleExport& one : module.exports())
    if (is_uncalled_hook(one)) uncalled += (uncalled.empty() ? "" : ", ") + quote(one.name);
  const std::string called =
      " (authenticate, pre_query, post_query, with ABI 2 settled, check_write and event)";
  if (uncalled.empty()) return "exports no hook" + called;
  return "exports no hook that this version calls" + called + ", only " + uncalled +
         ": it would never act. Its manifest's optional_hooks, or [plugins] optional, says that it "
         "may be so";
}

// A hook that ABI 1 does not have would be named and never called.
Check check_hooks_of_abi2(const WasmModule& module, const Manifest& manifest, ModuleShape& shape) {
  if (shape.says_version) return {};
  for (const std::string_view name : {"settled", "check_write", "event"}) {
    if (manifest.hooks && contains(*manifest.hooks, name))
      return invalid("its manifest names the hook " + quote(name) +
                     ", which plugins of ABI 1 do not have");
    if (find_export(module, name) != nullptr)
      shape.warnings.push_back("exports " + quote(name) + ", a hook of ABI 2: it is not called");
  }
  return {};
}

Check check_hooks(const WasmModule& module, const Manifest& manifest, ModuleShape& shape) {
  shape.has_authenticate = wants_hook(module, manifest, "authenticate", shape);
  shape.has_pre_query = wants_hook(module, manifest, "pre_query", shape);
  shape.has_post_query = wants_hook(module, manifest, "post_query", shape);
  if (auto checked = check_hooks_of_abi2(module, manifest, shape); !checked) return checked;
  shape.has_settled = shape.says_version && wants_hook(module, manifest, "settled", shape);
  shape.has_check_write = shape.says_version && wants_hook(module, manifest, "check_write", shape);
  shape.has_event = shape.says_version && wants_hook(module, manifest, "event", shape);
  const bool misses_none = note_uncalled(module, manifest, shape);
  bool has_any = false;
  for (const auto& [is_wanted, name] :
       {std::pair(shape.has_authenticate, "authenticate"),
        std::pair(shape.has_pre_query, "pre_query"), std::pair(shape.has_post_query, "post_query"),
        std::pair(shape.has_settled, "settled"), std::pair(shape.has_check_write, "check_write"),
        std::pair(shape.has_event, "event")}) {
    if (!is_wanted) continue;
    has_any = true;
    if (auto checked = check_function(module, name, types_of(name, shape.says_version)); !checked)
      return checked;
  }
  if (has_any || misses_none) return {};
  return invalid(no_hook_to_call(module));
}

Check check_abi(const WasmModule& module, const Manifest& manifest, ModuleShape& shape) {
  shape.says_version = find_export(module, name_of(GuestFunction::abi_version)) != nullptr;
  if (shape.says_version)
    return check_function(module, name_of(GuestFunction::abi_version), {&kVersion});
  if (manifest.reuses_instances)
    return invalid(
        "its manifest says instance = \"reuse\", which is for plugins of ABI 2: those of "
        "ABI 1 never free memory");
  return check_allocator(module);
}

}  // namespace

namespace {

void note_left_aside(const Manifest& manifest, ModuleShape& shape) {
  if (manifest.left_aside.empty()) return;
  std::string line = "has keys in its manifest that have no effect here:";
  for (const std::string_view key : manifest.left_aside) (line += ' ') += key;
  shape.warnings.push_back(line + " (instead: order, imports, limits.memory_mb)");
}

}  // namespace

base::Result<ModuleShape> check_module(const WasmModule& module, const Manifest& manifest) {
  ModuleShape shape;
  note_left_aside(manifest, shape);
  if (auto checked = check_imports(module, manifest); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_memory(module); !checked) return std::unexpected(checked.error());
  if (auto checked = check_abi(module, manifest, shape); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_hooks(module, manifest, shape); !checked)
    return std::unexpected(checked.error());
  shape.has_initialize = find_export(module, "_initialize") != nullptr;
  if (shape.has_initialize)
    if (auto checked = check_function(module, "_initialize", {&kInitialize}); !checked)
      return std::unexpected(checked.error());
  return shape;
}

}  // namespace helios::plugins
