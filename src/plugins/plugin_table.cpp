// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_table.hpp"

#include "plugins/sha256.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace helios::plugins {
namespace {

// What only one plugin can have, by name; empty: this one does not want it.
using Wish = std::string (*)(const PluginVersion& version);

std::string wished_namespace(const PluginVersion& version) { return version.space().name(); }

std::string wished_place(const PluginVersion& version) {
  return version.manifest().is_first ? "first" : "";
}

void reject(PluginEntry& entry, std::string why) {
  entry.error = std::move(why);
  entry.plugin = nullptr;
  entry.digest.clear();
}

template <typename Explain>
void settle(PluginTable& table, const PluginTable& previous, Wish wish, Explain explain) {
  std::map<std::string, const PluginEntry*> owners;
  const auto had_it = [&](const PluginEntry& entry) {
    const PluginEntry* const old = find_entry(previous, entry.file);
    return old != nullptr && old->plugin != nullptr &&
           wish(old->plugin->version()) == wish(entry.plugin->version());
  };
  for (const bool old_owners : {true, false})
    for (PluginEntry& entry : table) {
      if (entry.plugin == nullptr || had_it(entry) != old_owners) continue;
      const std::string wanted = wish(entry.plugin->version());
      if (wanted.empty()) continue;
      const auto [owner, taken] = owners.try_emplace(wanted, &entry);
      if (!taken) reject(entry, explain(wanted, owner->second->file.path));
    }
}

}  // namespace

const PluginEntry* find_entry(const PluginTable& table, const PluginFile& file) {
  const auto found = std::ranges::find_if(
      table, [&](const PluginEntry& entry) { return entry.file.path == file.path; });
  return found == table.end() ? nullptr : &*found;
}

void settle_conflicts(PluginTable& table, const PluginTable& previous) {
  settle(table, previous, wished_namespace, [](const std::string& space, const std::string& owner) {
    return "its namespace \"" + space + "\" is also that of " + owner;
  });
  settle(table, previous, wished_place, [](const std::string&, const std::string& owner) {
    return "its manifest says first = true, and so does that of " + owner +
           ": only one plugin can be first";
  });
}

std::vector<PluginInfo> describe(const PluginTable& table) {
  std::vector<PluginInfo> infos;
  for (const PluginEntry& entry : table) {
    PluginInfo info;
    info.name = entry.plugin ? entry.plugin->traits().name : entry.name;
    info.file = entry.file.path;
    info.load_error = entry.error;
    if (entry.plugin) {
      info.state = entry.error.empty() ? PluginInfo::State::loaded : PluginInfo::State::outdated;
      info.sha256 = entry.digest.substr(0, kSha256HexBytes);
      info.manifest_sha256 = entry.digest.substr(kSha256HexBytes);
      entry.plugin->describe(info);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace helios::plugins
