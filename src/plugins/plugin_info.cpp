// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_info.hpp"

#include "base/text.hpp"
#include "kv/namespace_name.hpp"

#include <algorithm>

namespace helios::plugins {

namespace {

bool runs(const PluginInfo& info) { return info.state != PluginInfo::State::failed; }

const PluginInfo* find_running(std::span<const PluginInfo> infos, const std::string& name) {
  const auto found = std::ranges::find_if(
      infos, [&](const PluginInfo& info) { return runs(info) && info.name == name; });
  return found == infos.end() ? nullptr : &*found;
}

PluginChange make_change(PluginChange::Kind kind, const PluginInfo& info) {
  return {.kind = kind,
          .name = info.name,
          .version = info.version,
          .sha256 = info.sha256,
          .old_version = {},
          .old_sha256 = {}};
}

std::string identity(const std::string& version, const std::string& sha256) {
  const std::string named =
      version.empty() ? "" : "version " + base::escape_for_log(version) + ", ";
  return named + "SHA-256 " + sha256;
}

}  // namespace

std::string_view to_text(PluginInfo::State state) {
  switch (state) {
    case PluginInfo::State::loaded: return "loaded";
    case PluginInfo::State::outdated: return "outdated";
    case PluginInfo::State::failed: return "failed";
  }
  return "";
}

std::string_view to_text(PluginChange::Kind kind) {
  switch (kind) {
    case PluginChange::Kind::added: return "added";
    case PluginChange::Kind::removed: return "removed";
    case PluginChange::Kind::changed: return "changed";
    case PluginChange::Kind::kept: return "kept";
  }
  return "";
}

bool is_same_plugin(const std::string& a, const std::string& b) {
  const auto space_a = kv::namespace_name(a);
  const auto space_b = kv::namespace_name(b);
  return a == b || (space_a && space_b && *space_a == *space_b);
}

std::vector<PluginChange> changes_between(
    std::span<const PluginInfo> before, std::span<const PluginInfo> after,
    const std::function<bool(const std::string&)>& is_reloaded) {
  using Kind = PluginChange::Kind;
  std::vector<PluginChange> changes;
  for (const PluginInfo& info : after) {
    if (!runs(info)) continue;
    const PluginInfo* const old = find_running(before, info.name);
    const Kind kind = old == nullptr           ? Kind::added
                      : is_reloaded(info.name) ? Kind::changed
                                               : Kind::kept;
    changes.push_back(make_change(kind, info));
    if (kind != Kind::changed) continue;
    changes.back().old_version = old->version;
    changes.back().old_sha256 = old->sha256;
  }
  for (const PluginInfo& info : before) {
    if (runs(info) && find_running(after, info.name) == nullptr)
      changes.push_back(make_change(Kind::removed, info));
  }
  std::ranges::stable_sort(changes, {}, &PluginChange::name);
  return changes;
}

std::string describe_change(const PluginChange& change) {
  const std::string name = base::escape_for_log(change.name, 100);
  const std::string what = name + " " + std::string(to_text(change.kind)) + ": ";
  const std::string now = identity(change.version, change.sha256);
  if (change.kind != PluginChange::Kind::changed) return what + now;
  return what + now + " takes the place of " + identity(change.old_version, change.old_sha256);
}

}  // namespace helios::plugins
