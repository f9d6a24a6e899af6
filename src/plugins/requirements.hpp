// SPDX-License-Identifier: Apache-2.0
#pragma once

// What [plugins] demands of the folder, held against what was found there. A guard must not go missing in silence: where
// a demand is not met, nothing is served, and a reload changes nothing.
//
// Pure. Thread rule: any thread.

#include "config/config.hpp"
#include "plugins/plugin_info.hpp"

#include <span>
#include <string>
#include <vector>

namespace helios::plugins {

// One line for each demand that is not met, with where it stands and what to do:
//   required   the plugin is absent, cannot be loaded (also where its old version runs on), has another SHA-256 or a
//              manifest with another one, or says on_error = "allow"
//   optional   a name that no plugin of the folder has: it would be optional in vain. Not looked at without a folder
[[nodiscard]] std::vector<std::string> unmet_demands(const config::Plugins& config,
                                                     std::span<const PluginInfo> found);

// Whether [plugins] required names it. Its load error then stands in its demand.
[[nodiscard]] bool is_required(const config::Plugins& config, const PluginInfo& plugin);

// Whether [plugins] optional names it, by its name or its file's.
[[nodiscard]] bool is_optional(const config::Plugins& config, const PluginInfo& plugin);

}  // namespace helios::plugins
