// SPDX-License-Identifier: Apache-2.0
#include "admin/routes.hpp"

#include "admin/blocks.hpp"
#include "admin/openapi.hpp"
#include "admin/plugin_list.hpp"
#include "admin/replies.hpp"
#include "admin/state_page.hpp"
#include "admin/stream_routes.hpp"
#include "metrics/text_format.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::string_view kIndexPage = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>heliosproxy</title></head><body>
<h1>heliosproxy</h1>
<ul>
<li><a href="/plugins">/plugins</a>: the plugins; POST /plugins/reload reads their folder again
<li><a href="/refusals">/refusals</a>: why statements and clients were refused
<li><a href="/blocks">/blocks</a>: who is blocked; PUT and DELETE of /blocks/&lt;kind&gt;/&lt;name&gt; change that
<li><a href="/identity-rules">/identity-rules</a>: what rules say about who clients are, and which never fitted one
<li><a href="/tenant-rules">/tenant-rules</a>: which rules have bound a session to a tenant, and which never did
<li>/admin/kv/&lt;plugin&gt;/&lt;key&gt;: one key (GET, PUT, POST, DELETE); /admin/kv/&lt;plugin&gt;/?prefix= lists
<li>/admin/streams/&lt;plugin&gt;: its streams; /admin/streams/&lt;plugin&gt;/&lt;stream&gt;: their records
<li><a href="/admin/state">/admin/state</a>: what the store holds
<li><a href="/metrics">/metrics</a>: numbers for Prometheus
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>: health checks
<li><a href="/version">/version</a>
<li><a href="/openapi.yaml">/openapi.yaml</a>: all of this, for machines
</ul>
</body></html>
)";

Response index_page(const Sources&, std::string_view) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kIndexPage;
  response.headers.push_back(
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"});
  return response;
}

Response openapi_page(const Sources&, std::string_view) {
  Response response;
  response.content_type = "application/yaml";
  response.body = openapi_text();
  return response;
}

Response plugins_page(const Sources& sources, std::string_view) {
  Response response;
  response.body = plugin_list_json(sources.control.plugins());
  return response;
}

Response identity_rules_page(const Sources& sources, std::string_view) {
  Response response;
  response.body = identity_rules_json(sources.control.identity_rules());
  return response;
}

Response tenant_rules_page(const Sources& sources, std::string_view) {
  Response response;
  response.body = tenant_rules_json(sources.control.identity_rules());
  return response;
}

Response refusals_page(const Sources& sources, std::string_view query) {
  const auto wanted = parse_refusal_query(query);
  if (!wanted) return error_reply(400, wanted.error().message);
  Response response;
  response.body = refusals_json(sources.control.refusals(*wanted));
  return response;
}

Response blocks_page(const Sources& sources, std::string_view) {
  Response response;
  response.body = blocks_json(sources.control.blocks());
  return response;
}

Response metrics_page(const Sources& sources, std::string_view) {
  Response response;
  response.content_type = metrics::kTextContentType;
  response.body = sources.control.metrics_text();
  return response;
}

Response health_page(const Sources&, std::string_view) { return ok_reply(); }

Response ready_page(const Sources& sources, std::string_view) {
  const auto ready = sources.control.ready();
  if (!ready) return error_reply(503, ready.error().message);
  boost::json::array warnings;
  // No 503: only clients find out that it is there again, and they would be sent elsewhere.
  const ServerStatus server = sources.control.server();
  if (server.state == "down")
    warnings.emplace_back(readable("the server could not be reached " +
                                   std::to_string(server.seconds_ago) +
                                   " s ago: " + server.reason));
  for (const std::string& line : sources.control.warnings()) warnings.emplace_back(readable(line));
  boost::json::object body{{"ok", true}, {"server", readable(server.state)}};
  if (!warnings.empty()) body.emplace("warnings", std::move(warnings));
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

Response version_page(const Sources& sources, std::string_view) {
  const boost::json::object body{{"name", "heliosproxy"},
                                 {"version", readable(sources.control.version())},
                                 {"engine", readable(sources.control.engine())}};
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

Response state_page(const Sources& sources, std::string_view) { return state_reply(sources.store); }

constexpr std::string_view kBlockPath = "/blocks/{kind}/{name}";
constexpr std::string_view kKeyPath = "/admin/kv/{plugin}/{key}";
constexpr std::string_view kStreamPath = "/admin/streams/{plugin}/{stream}";

constexpr std::array kRoutes = {
    Route{"/", kReadMethods, Need::nothing, index_page},
    Route{"/healthz", kReadMethods, Need::nothing, health_page},
    Route{"/readyz", kReadMethods, Need::nothing, ready_page},
    Route{"/version", kReadMethods, Need::any_token, version_page},
    Route{"/openapi.yaml", kReadMethods, Need::any_token, openapi_page},
    Route{"/metrics", kReadMethods, Need::everything, metrics_page},
    Route{"/plugins", kReadMethods, Need::everything, plugins_page},
    Route{"/plugins/reload", "POST", Need::everything, nullptr, Action::reload},
    Route{"/refusals", kReadMethods, Need::everything, refusals_page},
    Route{"/blocks", kReadMethods, Need::everything, blocks_page},
    Route{kBlockPath, "PUT, DELETE", Need::everything, nullptr, Action::blocks},
    Route{"/identity-rules", kReadMethods, Need::everything, identity_rules_page},
    Route{"/tenant-rules", kReadMethods, Need::everything, tenant_rules_page},
    Route{"/admin/state", kReadMethods, Need::everything, state_page},
    Route{"/admin/state/backup", "POST", Need::everything, nullptr, Action::back_up},
    Route{"/admin/kv/{plugin}/", kListMethods, Need::its_keys, nullptr, Action::keys},
    Route{kKeyPath, kKeyMethods, Need::its_keys, nullptr, Action::keys},
    Route{"/admin/streams/{plugin}", kReadMethods, Need::its_keys, nullptr, Action::streams},
    Route{kStreamPath, kReadMethods, Need::its_keys, nullptr, Action::streams},
};

bool is_below(std::string_view root, std::string_view path) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

const Route* find_route(std::string_view path) {
  if (path.starts_with("/blocks/")) path = kBlockPath;
  if (is_below("/admin/kv", path)) path = kKeyPath;
  if (is_below(kStreamsRoot, path)) path = kStreamPath;
  const auto found = std::ranges::find(kRoutes, path, &Route::path);
  return found == kRoutes.end() ? nullptr : found;
}

}  // namespace helios::admin
