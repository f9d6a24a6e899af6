// SPDX-License-Identifier: Apache-2.0
#include "admin/router.hpp"

#include "admin/browser_guard.hpp"
#include "admin/plugin_list.hpp"
#include "admin/replies.hpp"
#include "admin/target.hpp"
#include "metrics/text_format.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::string_view kIndexPage = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>heliosproxy</title></head><body>
<h1>heliosproxy</h1>
<ul>
<li><a href="/plugins">/plugins</a>: the plugins; POST /plugins/reload reads their folder again
<li>/admin/kv/&lt;plugin&gt;/&lt;key&gt;: one key (GET, PUT, DELETE); /admin/kv/&lt;plugin&gt;/?prefix= lists
<li><a href="/metrics">/metrics</a>: numbers for Prometheus
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>: health checks
<li><a href="/version">/version</a>
</ul>
</body></html>
)";

Response plugins_reply(Control& control) {
  Response response;
  response.body = plugin_list_json(control.plugins());
  return response;
}

Response index_reply(Control&) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kIndexPage;
  response.headers.push_back(
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"});
  return response;
}

Response metrics_reply(Control& control) {
  Response response;
  response.content_type = metrics::kTextContentType;
  response.body = control.metrics_text();
  return response;
}

Response health_reply(Control&) { return ok_reply(); }

Response ready_reply(Control& control) {
  const auto ready = control.ready();
  return ready ? ok_reply() : error_reply(503, ready.error().message);
}

Response version_reply(Control& control) {
  const boost::json::object body{{"name", "heliosproxy"}, {"version", readable(control.version())}};
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

// The routes that only tell something.
struct Page {
  std::string_view path;
  Response (*reply)(Control&);
};
constexpr std::array kPages = {
    Page{"/", index_reply},          Page{"/plugins", plugins_reply},
    Page{"/metrics", metrics_reply}, Page{"/healthz", health_reply},
    Page{"/readyz", ready_reply},    Page{"/version", version_reply},
};

Response page_reply(std::string_view path, Method method, Control& control) {
  for (const Page& page : kPages) {
    if (page.path != path) continue;
    const bool reads = method == Method::get || method == Method::head;
    return reads ? page.reply(control) : method_not_allowed("GET, HEAD");
  }
  return error_reply(404, "not found");
}

// Another reload under way is a conflict of requests; anything else is wrong with the plugins.
Response reload_failed(const base::Error& error) {
  return error_reply(error.code == base::Errc::unavailable ? 409 : 422, error.message);
}

bool is_kv_path(std::string_view path) {
  return path == "/admin/kv" || path.starts_with("/admin/kv/");
}

}  // namespace

Router::Router(kv::Store& store, Control& control, std::shared_ptr<base::Executor> home)
    : control_(control), home_(home), kv_(KvContext{&store, std::move(home)}) {}

void Router::handle(Request request, Responder respond) {
  if (auto refusal = refuse_browser_attack(request)) return respond(std::move(*refusal));
  const std::string_view path = split_target(request.target).path;
  if (is_kv_path(path)) return kv_.handle(std::move(request), std::move(respond));
  if (path == "/plugins/reload") {
    if (request.method != Method::post) return respond(method_not_allowed("POST"));
    return handle_reload(std::move(respond));
  }
  respond(page_reply(path, request.method, control_));
}

void Router::handle_reload(Responder respond) {
  // The result may come on any thread; what it leads to belongs on this one.
  control_.reload_plugins([home = home_, &control = control_,
                           respond = std::move(respond)](base::Result<void> result) mutable {
    home->post([&control, respond = std::move(respond), result = std::move(result)]() mutable {
      respond(result ? plugins_reply(control) : reload_failed(result.error()));
    });
  });
}

}  // namespace helios::admin
