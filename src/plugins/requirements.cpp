// SPDX-License-Identifier: Apache-2.0
#include "plugins/requirements.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <filesystem>

namespace helios::plugins {

namespace {

bool has_name(const PluginInfo& plugin, const std::string& name) {
  return is_same_plugin(name, plugin.name) ||
         is_same_plugin(name, std::filesystem::path(plugin.file).stem().string());
}

// The one that runs, where two files claim a name.
const PluginInfo* find(std::span<const PluginInfo> found, const std::string& name) {
  const PluginInfo* best = nullptr;
  for (const PluginInfo& plugin : found) {
    if (!is_same_plugin(plugin.name, name)) continue;
    if (best == nullptr || plugin.state == PluginInfo::State::loaded) best = &plugin;
  }
  return best;
}

std::string absent(const config::Plugins& config) {
  if (config.directory.empty())
    return "[plugins] directory names no folder: name the one that it lies in";
  return "no plugin in " + config.directory +
         " has that name: put its module there, or take it out of the list";
}

// Empty: nothing.
std::string what_is_wrong(const config::Plugins& config, const config::RequiredPlugin& wanted,
                          const PluginInfo* plugin) {
  if (plugin == nullptr) return absent(config);
  if (plugin->state != PluginInfo::State::loaded)
    return plugin->file + " cannot be loaded: " + plugin->load_error;
  if (!wanted.sha256.empty() && plugin->sha256 != wanted.sha256)
    return plugin->file + " has the SHA-256 " + plugin->sha256 + ", not " + wanted.sha256 +
           ": put the right module there, or correct the list if the new one is meant";
  if (!wanted.manifest_sha256.empty() && plugin->manifest_sha256 != wanted.manifest_sha256)
    return "its manifest has the SHA-256 " + plugin->manifest_sha256 + ", not " +
           wanted.manifest_sha256 +
           ": put the right manifest there, or correct the list if the new one is meant";
  if (plugin->on_error == hooks::OnError::allow)
    return "its manifest says on_error = \"allow\", so statements would pass when it fails: say "
           "\"deny\" there";
  return {};
}

std::string with_origin(const std::string& origin, const std::string& line) {
  return origin.empty() ? line : origin + ": " + line;
}

}  // namespace

std::vector<std::string> unmet_demands(const config::Plugins& config,
                                       std::span<const PluginInfo> found) {
  std::vector<std::string> lines;
  for (const config::RequiredPlugin& wanted : config.required) {
    const std::string wrong = what_is_wrong(config, wanted, find(found, wanted.name));
    if (wrong.empty()) continue;
    lines.push_back(with_origin(wanted.origin, "plugin \"" + base::escape_for_log(wanted.name) +
                                                   "\" is required, and " + wrong));
  }
  for (const std::string& name : config.optional) {
    const bool is_there =
        std::ranges::any_of(found, [&](const auto& plugin) { return has_name(plugin, name); });
    if (is_there || config.directory.empty()) continue;
    lines.push_back(with_origin(config.optional_origin,
                                "\"" + base::escape_for_log(name) +
                                    "\" is the name of no plugin in " + config.directory +
                                    ": correct it, or take it out of the list"));
  }
  return lines;
}

bool is_required(const config::Plugins& config, const PluginInfo& plugin) {
  return std::ranges::any_of(config.required, [&](const config::RequiredPlugin& wanted) {
    return is_same_plugin(wanted.name, plugin.name);
  });
}

bool is_optional(const config::Plugins& config, const PluginInfo& plugin) {
  return std::ranges::any_of(config.optional,
                             [&](const std::string& name) { return has_name(plugin, name); });
}

}  // namespace helios::plugins
