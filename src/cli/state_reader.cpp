// SPDX-License-Identifier: Apache-2.0
#include "cli/state_reader.hpp"

#include "admin/json_bytes.hpp"
#include "admin/target.hpp"
#include "base/base64.hpp"
#include "cli/json_answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <istream>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;
using admin::Method;
using admin::Request;

constexpr std::size_t kMaxLineBytes = 16U << 20;

// What stands in `object` as text under `name`, or encoded under `encoded_name`.
base::Result<std::string> bytes_of(const json::object& object, std::string_view name,
                                   std::string_view encoded_name,
                                   base::Result<std::string> (*decode)(std::string_view)) {
  const json::value* plain = object.if_contains(name);
  if (plain != nullptr && plain->is_string()) return text_of(object, name);
  const json::value* encoded = object.if_contains(encoded_name);
  if (encoded != nullptr && encoded->is_string()) return decode(text_of(object, encoded_name));
  return base::fail(base::Errc::invalid, "there is no \"" + std::string(name) + "\" in it");
}

base::Result<Entry> entry_of(const json::object& object) {
  auto key = bytes_of(object, "key", "key_percent_encoded", admin::percent_decode);
  if (!key) return std::unexpected(key.error());
  auto value = bytes_of(object, "value", "value_base64", base::base64_decode);
  if (!value) return std::unexpected(value.error());
  return Entry{text_of(object, "plugin"), std::move(*key), std::move(*value),
               number_of(object, "version").value_or(0),
               number_of(object, "expires_at_ms").value_or(0)};
}

base::Result<void> use_page(const json::object& page, const std::string& plugin,
                            const OnEntry& on_entry) {
  const json::value* entries = page.if_contains("entries");
  if (entries == nullptr || !entries->is_array())
    return base::fail(base::Errc::invalid, "the answer has no entries");
  for (const json::value& item : entries->get_array()) {
    auto entry = item.is_object() ? entry_of(item.get_object()) : entry_of({});
    if (!entry) return base::fail(base::Errc::invalid, "the answer: " + entry.error().message);
    entry->plugin = plugin;
    if (auto used = on_entry(std::move(*entry)); !used) return used;
  }
  return {};
}

base::Result<void> use_line(const std::string& line, const OnEntry& on_entry) {
  if (line.size() > kMaxLineBytes)
    return base::fail(base::Errc::limit_exceeded, "is longer than 16 MiB");
  const auto object = parse_object(line);
  if (!object) return std::unexpected(object.error());
  auto entry = entry_of(*object);
  if (!entry) return std::unexpected(entry.error());
  if (entry->plugin.empty()) return base::fail(base::Errc::invalid, "there is no \"plugin\" in it");
  return on_entry(std::move(*entry));
}

}  // namespace

base::Result<admin::Response> checked(base::Result<admin::Response> response) {
  if (!response || response->status / 100 == 2) return response;
  const auto body = parse_object(response->body);
  const std::string text = body ? text_of(*body, "error") : std::string();
  return base::fail(response->status == 404 ? base::Errc::not_found : base::Errc::invalid,
                    text.empty() ? "HTTP status " + std::to_string(response->status) : text);
}

std::string target_of(std::string_view plugin, std::string_view key) {
  return "/admin/kv/" + admin::percent_encode(plugin) + '/' + admin::percent_encode(key);
}

base::Result<void> read_entries(const AskAdmin& ask, const std::string& plugin,
                                std::string_view prefix, const OnEntry& on_entry) {
  std::string next = target_of(plugin, "") + "?values=true&prefix=" + admin::percent_encode(prefix);
  while (!next.empty()) {
    Request request;
    request.target = std::move(next);
    const auto response = checked(ask(request));
    if (!response) return std::unexpected(response.error());
    const auto page = parse_object(response->body);
    if (!page) return base::fail(base::Errc::invalid, "the answer " + page.error().message);
    if (auto used = use_page(*page, plugin, on_entry); !used) return used;
    next = text_of(*page, "next");
  }
  return {};
}

base::Result<void> read_export(std::istream& in, const OnEntry& on_entry) {
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty()) continue;
    if (auto used = use_line(line, on_entry); !used)
      return base::fail(used.error().code,
                        "line " + std::to_string(number) + ": " + used.error().message);
  }
  return {};
}

std::string export_line(const Entry& entry) {
  json::object line{{"plugin", entry.plugin}};
  admin::put_key(line, entry.key);
  admin::put_value(line, entry.value);
  if (entry.expires_at_ms != 0) line["expires_at_ms"] = entry.expires_at_ms;
  return json::serialize(line);
}

}  // namespace helios::cli
