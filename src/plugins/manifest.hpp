// SPDX-License-Identifier: Apache-2.0
#pragma once

// The manifest of a plugin: <name>.toml beside <name>.wasm or <name>.wat. Without one, everything is
// as in a default Manifest.
//
//   name = "cost-governor"              # default: the file's name without extension
//   version = "1.2.0"                   # shown by /plugins, nothing else
//   hooks = ["pre_query"]               # default: those that the module exports
//   optional_hooks = ["route"]          # may stay uncalled; default: a module with no other hook does not load
//   order = 10                          # smaller runs first, then by name
//   first = false                       # true: in front of all others, whatever their order; one plugin at most
//   on_error = "deny"                   # or "allow"
//   statements = "all"                  # default "queries": not those that only manage the session
//   instance = "fresh"                  # or "reuse" (ABI 2): kept for later calls
//   normalized = false                  # ABI 1: without the field, which is a second copy of the text
//   append_only = false                 # true: operators neither set nor delete keys of its namespace
//   durability = "strict"               # "relaxed", "memory"; default: [state] durability
//   imports = ["kv_get", "sha256_hex"]  # default: all that the proxy offers
//   [limits]                            # default, and most that is allowed: [plugins.limits]
//   memory_mb = 4
//   table_elements = 1000
//   timeout_ms = 50
//   output_kb = 64
//   [config]                            # the plugin finds these among its attributes,
//   region = "eu"                       # as "config.region"
//
// Manifests of HeliosProxy (plugin.toml) are read as well: description, author, license, permissions,
// min_memory, max_memory and priority have no effect here, and left_aside names those that are there.

#include "base/result.hpp"
#include "config/config.hpp"
#include "hooks/plugin.hpp"
#include "kv/durability.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

struct Manifest {
  std::string name;
  std::string version;
  std::optional<std::vector<std::string>> hooks;  // nullopt: inferred from the exports
  std::vector<std::string> optional_hooks;
  std::optional<std::vector<std::string>> imports;  // nullopt: all
  std::int32_t order = 0;
  bool is_first = false;
  hooks::OnError on_error = hooks::OnError::deny;
  bool all_statements = false;
  bool reuses_instances = false;
  bool sends_normalized = true;
  bool is_append_only = false;
  std::optional<kv::Durability> durability;  // nullopt: as configured for all
  config::PluginLimits limits;               // module_kb as configured
  std::vector<std::pair<std::string, std::string>> config;
  std::vector<std::string_view> left_aside;  // keys without an effect; static storage
};

// What holds for a plugin called `name` without a manifest.
[[nodiscard]] Manifest default_manifest(std::string_view name, const config::PluginLimits& caps);

// Reads TOML. `name` is the default name, `file_name` is for messages. Errors: invalid, a line for each
// "FILE:LINE: key: what is wrong"; a limit above its cap is one.
[[nodiscard]] base::Result<Manifest> parse_manifest(std::string_view text,
                                                    std::string_view file_name,
                                                    std::string_view name,
                                                    const config::PluginLimits& caps);

}  // namespace helios::plugins
