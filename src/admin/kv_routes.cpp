// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_routes.hpp"

#include "admin/access_guard.hpp"
#include "admin/base64.hpp"
#include "admin/kv_listing.hpp"
#include "admin/replies.hpp"
#include "admin/routes.hpp"
#include "admin/target.hpp"
#include "base/text.hpp"
#include "kv/namespace_name.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::string_view kRoot = "/admin/kv";
constexpr std::string_view kBytesType = "application/octet-stream";

// What the path names.
struct Place {
  std::string plugin;  // the namespace
  std::string key;     // empty: the namespace as a whole
};

base::Result<Place> parse_place(std::string_view path) {
  path.remove_prefix(kRoot.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos)
    return base::fail(base::Errc::invalid, "expected /admin/kv/<plugin>/<key>");
  if (slash == 0) return base::fail(base::Errc::invalid, "empty plugin name");
  const auto plugin = percent_decode(path.substr(0, slash));
  auto key = percent_decode(path.substr(slash + 1));
  if (!plugin || !key)
    return base::fail(base::Errc::invalid, plugin ? key.error().message : plugin.error().message);
  auto name = kv::namespace_name(*plugin);
  if (!name) return base::fail(base::Errc::invalid, name.error().message);
  return Place{std::move(*name), std::move(*key)};
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether the client named raw bytes before JSON. Weights (";q=") are not looked at.
bool wants_bytes(std::string_view accept) {
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(range.size() + 1, accept.size()));
    const std::string_view type = trim(range.substr(0, range.find(';')));
    if (base::equals_ignore_case(type, kBytesType)) return true;
    if (base::equals_ignore_case(type, "application/json")) return false;
  }
  return false;
}

Response value_reply(const Place& place, std::string value, bool as_bytes) {
  Response response;
  if (as_bytes) {
    response.content_type = kBytesType;
    response.body = std::move(value);
    return response;
  }
  boost::json::object body{{"plugin", place.plugin}};
  if (base::is_valid_utf8(place.key))
    body["key"] = place.key;
  else
    body["key_percent_encoded"] = percent_encode(place.key);
  if (base::is_valid_utf8(value))
    body["value"] = value;
  else
    body["value_base64"] = base64_encode(value);
  response.body = boost::json::serialize(body);
  return response;
}

Response key_not_found() { return error_reply(404, "key not found"); }

void get_key(const KvContext& context, Place place, bool as_bytes, Responder respond) {
  kv::Namespace* space = context.store->find(place.plugin);
  if (space == nullptr) return respond(key_not_found());
  // Either callback may answer, never both.
  auto shared = std::make_shared<Responder>(std::move(respond));
  std::string key = place.key;
  start_read(
      context, *space, std::move(key),
      [shared, place = std::move(place), as_bytes](std::optional<std::string> value) {
        (*shared)(value ? value_reply(place, std::move(*value), as_bytes) : key_not_found());
      },
      [shared](Response failure) { (*shared)(std::move(failure)); });
}

void put_key(const KvContext& context, Place place, std::string value, Responder respond) {
  // Looked at before the namespace is made, so that a refused write leaves no trace.
  if (place.key.size() > context.store->limits().max_key_bytes)
    return respond(error_reply(413, "kv_max_key_bytes exceeded"));
  if (value.size() > context.store->limits().max_value_bytes)
    return respond(error_reply(413, "kv_max_value_bytes exceeded"));
  const auto space = context.store->open(place.plugin);
  if (!space) return respond(error_reply(507, space.error().message));
  start_write(context, **space, std::move(place.key), std::move(value), std::move(respond));
}

void delete_key(const KvContext& context, Place place, Responder respond) {
  kv::Namespace* space = context.store->find(place.plugin);
  if (space == nullptr) return respond(ok_reply());
  start_write(context, *space, std::move(place.key), std::nullopt, std::move(respond));
}

void handle_key(const KvContext& context, Request& request, Place place, Responder respond) {
  switch (request.method) {
    case Method::get:
    case Method::head:
      return get_key(context, std::move(place), wants_bytes(request.accept), std::move(respond));
    case Method::put:
      return put_key(context, std::move(place), std::move(request.body), std::move(respond));
    case Method::del: return delete_key(context, std::move(place), std::move(respond));
    case Method::post:
    case Method::other: return respond(method_not_allowed(std::string(kKeyMethods)));
  }
}

Response handle_list(kv::Store& store, const Request& request, const Place& place,
                     std::string_view query) {
  switch (request.method) {
    case Method::get:
    case Method::head: break;
    case Method::put:
    case Method::del:
    case Method::post:
    case Method::other: return method_not_allowed(std::string(kReadMethods));
  }
  const auto list = parse_list_request(query);
  if (!list) return error_reply(400, list.error().message);
  return list_keys(store, store.find(place.plugin), place.plugin, *list);
}

// 403 for what the grant does not cover. A method that no route has needs no right.
std::optional<Response> refuse_request(const Request& request, const Grant& grant,
                                       std::string_view plugin) {
  switch (request.method) {
    case Method::get:
    case Method::head: return refuse_scope(grant, Scope::read, plugin);
    case Method::put:
    case Method::del: return refuse_scope(grant, Scope::write, plugin);
    case Method::post:
    case Method::other: return std::nullopt;
  }
  std::unreachable();
}

}  // namespace

void KvRoutes::handle(Request request, const Grant& grant, Responder respond) {
  const std::string target = std::move(request.target);
  const auto [path, query] = split_target(target);
  auto place = parse_place(path);
  if (!place) return respond(error_reply(400, place.error().message));
  if (auto refusal = refuse_request(request, grant, place->plugin))
    return respond(std::move(*refusal));
  if (place->key.empty()) return respond(handle_list(*context_.store, request, *place, query));
  if (!query.empty())
    return respond(error_reply(400,
                               "a key takes no query parameters; write a '?' that is part of the "
                               "key as %3F"));
  handle_key(context_, request, std::move(*place), std::move(respond));
}

}  // namespace helios::admin
