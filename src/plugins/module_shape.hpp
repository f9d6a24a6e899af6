// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a module must look like to be a plugin. One that exports helios_abi_version is of ABI 2 or
// later, and abi/helios_abi2.h says what it looks like; any other is of ABI 1:
//
//   exports  memory
//            alloc: (i32) -> i32               room for the proxy's input
//            dealloc: (i32, i32) -> ()
//            authenticate, pre_query: (i32, i32) -> i64   at least one of the three; they get the input's
//            post_query: (i32, i32) -> i64     address and length, and answer the same packed as
//              or (i32, i32) -> ()             (address << 32) | length
//            _initialize: () -> ()             optional, called once per instance
//   imports  functions of `env` that the proxy offers and the manifest grants, nothing else
//
// Checked once, at load, so that calls need no check of types.

#include "base/result.hpp"
#include "plugins/manifest.hpp"
#include "plugins/wasm.hpp"

#include <string>
#include <vector>

namespace helios::plugins {

struct ModuleShape {
  bool says_version = false;  // exports helios_abi_version, which must say 2
  bool has_authenticate = false;
  bool has_pre_query = false;  // is to be called: exported, and not left out by the manifest
  bool has_post_query = false;
  bool has_settled = false;
  bool has_check_write = false;
  bool has_event = false;
  bool has_initialize = false;
  std::vector<std::string> warnings;  // one line each
};

// Errors: invalid, one line without the plugin's name.
[[nodiscard]] base::Result<ModuleShape> check_module(const WasmModule& module,
                                                     const Manifest& manifest);

}  // namespace helios::plugins
