// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/host_imports.hpp"

#include <vector>

namespace helios::plugins {

std::span<const HostFunction> host_imports() {
  static const std::vector<HostFunction> kFunctions = [] {
    std::vector<HostFunction> all;
    for (const auto& some :
         {state_imports(), entry_imports(), counter_imports(), stream_imports(),
          statement_imports(), parameter_imports(), verdict_imports(), wasi_imports()})
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }();
  return kFunctions;
}

const HostFunction* find_host_import(std::string_view module, std::string_view name) {
  for (const HostFunction& function : host_imports())
    if (function.module == module && function.name == name) return &function;
  return nullptr;
}

}  // namespace helios::plugins
