// SPDX-License-Identifier: Apache-2.0
#include "app/event_json.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "hooks/plugin.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstddef>

namespace helios::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTextBytes = 1024;
// Of a list's members as JSON. What is beyond is counted.
constexpr std::size_t kMaxListBytes = 12U << 10;

// A text that somebody else has chosen, printable and bounded; null when it is empty.
json::value text(std::string_view bytes) {
  if (bytes.empty()) return nullptr;
  return json::value(base::escape_for_log(bytes, kMaxTextBytes));
}

// Puts as many members as there is room for into object[name], and the number of the others under "more_<name>".
template <typename List, typename ToJson>
void put_list(json::object& object, const std::string& name, const List& list, ToJson to_json) {
  json::array members;
  std::size_t bytes = 0;
  std::uint64_t more = 0;
  for (const auto& each : list) {
    json::value member = to_json(each);
    bytes += json::serialize(member).size();
    if (bytes <= kMaxListBytes)
      members.push_back(std::move(member));
    else
      ++more;
  }
  object[name] = std::move(members);
  if (more != 0) object["more_" + name] = more;
}

void put_facts(json::object& object, const ProcessFacts& facts) {
  object["process"] = facts.process;
  object["configuration"] = text(facts.configuration);
}

json::value plugin_json(const plugins::PluginInfo& plugin) {
  return json::object{{"name", text(plugin.name)},
                      {"version", text(plugin.version)},
                      {"sha256", text(plugin.sha256)}};
}

json::value change_json(const admin::PluginChange& change) {
  return json::object{{"change", change.kind},
                      {"name", text(change.name)},
                      {"version", text(change.version)},
                      {"sha256", text(change.sha256)},
                      {"old_version", text(change.old_version)},
                      {"old_sha256", text(change.old_sha256)}};
}

json::object block_object(const blocks::Block& block) {
  return json::object{{"of", blocks::to_word(block.kind)},
                      {"name", text(block.name)},
                      {"reason", text(block.reason)}};
}

}  // namespace

std::string start_json(const ProcessFacts& facts, std::string_view cause,
                       std::span<const plugins::PluginInfo> plugins) {
  json::object object{{"cause", cause}, {"version", HELIOS_VERSION}};
  put_facts(object, facts);
  put_list(object, "plugins", plugins, plugin_json);
  return json::serialize(object);
}

std::string stop_json(const ProcessFacts& facts, std::string_view cause) {
  json::object object{{"cause", cause}};
  put_facts(object, facts);
  return json::serialize(object);
}

std::string reload_json(const ProcessFacts& facts, std::string_view old_configuration,
                        bool is_refused, const admin::ReloadReport& report) {
  json::object object{{"refused", is_refused}};
  put_facts(object, facts);
  object["old_configuration"] = text(old_configuration);
  std::vector<admin::PluginChange> changes;
  for (const admin::PluginChange& change : report.changes)
    if (change.kind != "kept") changes.push_back(change);
  put_list(object, "changes", changes, change_json);
  put_list(object, "errors", report.errors, [](const std::string& line) { return text(line); });
  return json::serialize(object);
}

std::string admin_json(const admin::AdminAction& action, std::string_view body_hmac) {
  json::object object{{"method", action.method},     {"target", text(action.target)},
                      {"token", text(action.token)}, {"client", text(action.client)},
                      {"forced", action.is_forced},  {"body_bytes", action.body.size()},
                      {"body_hmac", text(body_hmac)}};
  if (!action.ttl_ms.empty()) object["ttl_ms"] = text(action.ttl_ms);
  return json::serialize(object);
}

std::string login_json(const session::RefusalRecord& record, bool by_server,
                       std::uint64_t left_out) {
  const std::string_view by =
      by_server ? "server" : (record.plugin.empty() ? "proxy" : std::string_view(record.plugin));
  json::object object{{"time_ms", record.time_ms},
                      {"request", text(record.request_id)},
                      {"user", text(record.user)},
                      {"database", text(record.database)},
                      {"tenant", text(record.tenant)},
                      {"client", text(record.client)},
                      {"application", text(record.application_name)},
                      {"by", text(by)},
                      {"sqlstate", text(record.sqlstate)},
                      {"reason", text(record.reason)}};
  if (left_out != 0) object["left_out"] = left_out;
  return json::serialize(object);
}

std::string block_json(const blocks::Block& block, std::uint64_t sessions_ended) {
  json::object object = block_object(block);
  object["until"] = block.expires_at_ms == blocks::kNeverOver
                        ? json::value(nullptr)
                        : json::value(base::to_rfc3339(block.expires_at_ms));
  object["sessions_ended"] = sessions_ended;
  return json::serialize(object);
}

std::string unblock_json(const blocks::Block& block, std::string_view cause) {
  json::object object = block_object(block);
  object["cause"] = cause;
  return json::serialize(object);
}

}  // namespace helios::app
