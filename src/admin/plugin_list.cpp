// SPDX-License-Identifier: Apache-2.0
#include "admin/plugin_list.hpp"

#include "admin/replies.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace helios::admin {
namespace {

boost::json::array text_list(const std::vector<std::string>& texts) {
  boost::json::array result;
  for (const std::string& text : texts) result.emplace_back(readable(text));
  return result;
}

boost::json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return boost::json::value(readable(text));
}

boost::json::value backing_off_json(const PluginStatus& plugin) {
  if (plugin.backing_off_callers == 0) return nullptr;
  return {{"callers", plugin.backing_off_callers}, {"longest_left_ms", plugin.backing_off_left_ms}};
}

boost::json::value abi_or_null(std::uint32_t abi) {
  if (abi == 0) return nullptr;
  return abi;
}

boost::json::object metrics_json(const PluginStatus& plugin) {
  boost::json::object result;
  for (const auto& [name, value] : plugin.metrics) result[readable(name)] = value;
  return result;
}

boost::json::object plugin_json(const PluginStatus& plugin) {
  return {
      {"name", readable(plugin.name)},
      {"namespace", readable(plugin.namespace_name)},
      {"version", text_or_null(plugin.version)},
      {"sha256", text_or_null(plugin.sha256)},
      {"manifest_sha256", text_or_null(plugin.manifest_sha256)},
      {"file", readable(plugin.file)},
      {"abi", abi_or_null(plugin.abi)},
      {"hooks", text_list(plugin.hooks)},
      {"state", readable(plugin.state)},
      {"order", plugin.order},
      {"on_error", readable(plugin.on_error)},
      {"durability", readable(plugin.durability)},
      {"calls", plugin.calls},
      {"failures", plugin.failures},
      {"refusals", plugin.refusals},
      {"retries", plugin.retries},
      {"overruns", plugin.overruns},
      {"exclusive_runs", plugin.exclusive_runs},
      {"lane", plugin.is_slow ? "slow" : "event_loop"},
      {"backed_off", plugin.backed_off},
      {"backing_off", backing_off_json(plugin)},
      {"metrics", metrics_json(plugin)},
      {"warnings", text_list(plugin.warnings)},
      {"last_error", text_or_null(plugin.last_error)},
  };
}

boost::json::array list_json(std::span<const PluginStatus> plugins) {
  boost::json::array result;
  for (const PluginStatus& plugin : plugins) result.emplace_back(plugin_json(plugin));
  return result;
}

boost::json::object change_json(const PluginChange& change) {
  boost::json::object result{{"change", change.kind},
                             {"name", readable(change.name)},
                             {"version", text_or_null(change.version)},
                             {"sha256", text_or_null(change.sha256)}};
  if (change.kind != "changed") return result;
  result["old_version"] = text_or_null(change.old_version);
  result["old_sha256"] = text_or_null(change.old_sha256);
  return result;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : "; ") + line;
  return all;
}

}  // namespace

std::string plugin_list_json(std::span<const PluginStatus> plugins) {
  return boost::json::serialize(list_json(plugins));
}

std::string reload_json(const ReloadReport& report, std::span<const PluginStatus> plugins) {
  boost::json::object result;
  if (!report.errors.empty()) {
    result["error"] = readable(joined(report.errors));
    result["errors"] = text_list(report.errors);
  }
  boost::json::array changes;
  for (const PluginChange& change : report.changes) changes.emplace_back(change_json(change));
  result["changes"] = std::move(changes);
  result["plugins"] = list_json(plugins);
  return boost::json::serialize(result);
}

std::string identity_rules_json(std::span<const IdentityRuleStatus> rules) {
  boost::json::array result;
  for (const IdentityRuleStatus& rule : rules) {
    boost::json::object sets;
    for (const auto& [name, value] : rule.settings) sets[readable(name)] = readable(value);
    boost::json::value os_user;  // null: whoever
    if (!rule.os_user.empty()) os_user = readable(rule.os_user);
    result.push_back(boost::json::object{{"user", readable(rule.user)},
                                         {"database", readable(rule.database)},
                                         {"client", readable(rule.client)},
                                         {"os_user", std::move(os_user)},
                                         {"sets", std::move(sets)},
                                         {"pinned", rule.is_pinned},
                                         {"matches", rule.matches}});
  }
  return boost::json::serialize(result);
}

std::string tenant_rules_json(std::span<const IdentityRuleStatus> rules) {
  boost::json::array result;
  for (const IdentityRuleStatus& rule : rules) {
    if (!rule.is_tenant_rule) continue;
    result.push_back(boost::json::object{{"user", readable(rule.user)},
                                         {"database", readable(rule.database)},
                                         {"tenant", readable(rule.settings.front().second)},
                                         {"pinned", rule.is_pinned},
                                         {"matches", rule.matches}});
  }
  return boost::json::serialize(result);
}

}  // namespace helios::admin
