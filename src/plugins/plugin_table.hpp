// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files of a plugin folder and what was made of each, as of one moment: what PluginHost keeps, and replaces as a whole.
//
// Thread rule: as a vector.

#include "config/config.hpp"
#include "plugins/plugin_folder.hpp"
#include "plugins/plugin_info.hpp"
#include "plugins/wasm_plugin.hpp"

#include <memory>
#include <string>
#include <vector>

namespace helios::plugins {

struct PluginEntry {
  PluginFile file;
  std::string name;                    // by manifest, or the file's
  std::string digest;                  // of what `plugin` was made from
  config::PluginLimits limits;         // that `plugin` was loaded under
  std::shared_ptr<WasmPlugin> plugin;  // null: nothing runs
  std::string error;                   // why the file as it is cannot be loaded
};
using PluginTable = std::vector<PluginEntry>;  // by file name

// Null: there is no such file in it.
[[nodiscard]] const PluginEntry* find_entry(const PluginTable& table, const PluginFile& file);

// Takes plugins out of `table` that cannot run beside another one, with the reason as their error: two must not share a
// namespace, and only one can be first. Whoever had it in `previous` keeps it, else the first by file name.
void settle_conflicts(PluginTable& table, const PluginTable& previous);

[[nodiscard]] std::vector<PluginInfo> describe(const PluginTable& table);

}  // namespace helios::plugins
