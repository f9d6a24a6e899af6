// SPDX-License-Identifier: Apache-2.0
#include "admin/plugin_list.hpp"

#include "admin/replies.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

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

boost::json::object plugin_json(const PluginStatus& plugin) {
  return {
      {"name", readable(plugin.name)},
      {"namespace", readable(plugin.namespace_name)},
      {"version", text_or_null(plugin.version)},
      {"file", readable(plugin.file)},
      {"hooks", text_list(plugin.hooks)},
      {"state", readable(plugin.state)},
      {"order", plugin.order},
      {"on_error", readable(plugin.on_error)},
      {"calls", plugin.calls},
      {"failures", plugin.failures},
      {"refusals", plugin.refusals},
      {"retries", plugin.retries},
      {"overruns", plugin.overruns},
      {"exclusive_runs", plugin.exclusive_runs},
      {"warnings", text_list(plugin.warnings)},
      {"last_error", text_or_null(plugin.last_error)},
  };
}

}  // namespace

std::string plugin_list_json(std::span<const PluginStatus> plugins) {
  boost::json::array result;
  for (const PluginStatus& plugin : plugins) result.emplace_back(plugin_json(plugin));
  return boost::json::serialize(result);
}

}  // namespace helios::admin
