// SPDX-License-Identifier: Apache-2.0
#include "admin/router.hpp"

#include "admin/blocks.hpp"
#include "admin/plugin_list.hpp"
#include "admin/replies.hpp"
#include "admin/target.hpp"
#include "base/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

// Is it carried out, if at all, by changing something?
bool is_action(const Route& route, const Request& request, const Grant& grant) {
  const bool has_actions = route.action != Action::none && route.action != Action::streams;
  return has_actions && changes_something(request.method) && grant.allows(Scope::write);
}

AdminAction action_of(const Request& request, const Grant& grant) {
  return {.method = to_word(request.method),
          .target = request.target,
          .token = grant.name,
          .client = request.peer,
          .body = request.body,
          .is_forced = request.force == "true",
          .ttl_ms = request.ttl_ms ? std::string_view(*request.ttl_ms) : std::string_view()};
}

// Whether a route other than those of keys, streams and single blocks has the method.
bool has_method(const Route& route, Method method) {
  return route.page != nullptr ? only_reads(method) : method == Method::post;
}

std::optional<Response> refuse_need(const Route& route, const Grant& grant) {
  switch (route.need) {
    case Need::nothing:
    case Need::any_token:
    case Need::its_keys: return std::nullopt;  // the last is looked at where the keys are
    case Need::everything: break;
  }
  const Scope scope = route.page != nullptr ? Scope::read : Scope::write;
  return refuse_scope(grant, scope, std::nullopt);
}

// Another reload under way is a conflict of requests; anything else is wrong with the plugins.
Response reload_failed(const base::Error& error) {
  return error_reply(error.code == base::Errc::unavailable ? 409 : 422,
                     base::one_line(error.message));
}

Response reload_done(Control& control, const ReloadReport& report) {
  Response response;
  response.status = report.errors.empty() ? 200 : 422;
  response.body = reload_json(report, control.plugins());
  return response;
}

// Of a folder: letters, digits, '-', '_' and '.', the latter not at the front.
bool can_be_name(std::string_view name) {
  constexpr std::size_t kMaxNameBytes = 100;
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

// The name of {"name":"..."}; empty for anything else.
std::string backup_name(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(body, error);
  const boost::json::object* object = error ? nullptr : parsed.if_object();
  const boost::json::value* name = object == nullptr ? nullptr : object->if_contains("name");
  if (name == nullptr || !name->is_string() || object->size() != 1) return {};
  std::string text(name->get_string());
  return can_be_name(text) ? text : std::string();
}

Response backup_reply(const base::Result<std::string>& directory) {
  if (!directory)
    return error_reply(directory.error().code == base::Errc::invalid ? 409 : 503,
                       directory.error().message);
  Response response;
  response.body = boost::json::serialize(
      boost::json::object{{"ok", true}, {"directory", readable(*directory)}});
  return response;
}

}  // namespace

Router::Router(kv::Store& store, Control& control, std::shared_ptr<base::Executor> home,
               AccessGuard& access, StartId start)
    : sources_{control, store},
      access_(access),
      home_(std::move(home)),
      order_(home_),
      kv_(KvContext{&store, home_, start, &control}),
      streams_(StreamContext{&store, home_, &control.reader()}) {}

void Router::handle(Request request, Responder respond) {
  const Route* route = find_route(split_target(request.target).path);
  const bool is_open = route != nullptr && route->need == Need::nothing;
  auto grant = access_.identify(request, is_open);
  if (!grant) return respond(std::move(grant.error()));
  if (route == nullptr) return respond(error_reply(404, "not found"));
  respond = access_.watch(request, **grant, std::move(respond));
  if (is_action(*route, request, **grant))
    return take_turn(*route, std::move(request), **grant, std::move(respond));
  dispatch(*route, std::move(request), **grant, std::move(respond));
}

// A reload and a backup take long, and there is one of each at a time anyway.
void Router::take_turn(const Route& route, Request request, Grant grant, Responder respond) {
  if (route.action == Action::reload || route.action == Action::back_up)
    return tell(route, std::move(request), std::move(grant), std::move(respond));
  std::string subject = route.action == Action::keys
                            ? "keys of " + KvRoutes::namespace_of(request.target)
                            : std::string(route.path);
  order_.run(
      std::move(subject), [this, &route, request = std::move(request), grant = std::move(grant),
                           respond = std::move(respond)](ActionOrder::Turn turn) mutable {
        tell(route, std::move(request), std::move(grant),
             [respond = std::move(respond), turn = std::move(turn)](Response response) mutable {
               const ActionOrder::Turn ends_here = std::move(turn);
               respond(std::move(response));
             });
      });
}

// Nothing is changed that a guard could not take note of.
void Router::tell(const Route& route, Request request, Grant grant, Responder respond) {
  const auto asked = std::make_shared<Request>(std::move(request));  // where the action views it
  const auto granted = std::make_shared<const Grant>(std::move(grant));
  const AdminAction action = action_of(*asked, *granted);
  sources_.control.tell_action(
      action, home_,
      [this, &route, asked, granted,
       respond = std::move(respond)](const std::string& problem) mutable {
        if (!problem.empty() && asked->force != "true")
          return respond(error_reply(
              503, "not carried out, since it could not be recorded: " + readable(problem) +
                       "; with the header Helios-Force: true it is carried out all the same"));
        dispatch(route, std::move(*asked), *granted, std::move(respond));
      });
}

void Router::dispatch(const Route& route, Request request, const Grant& grant, Responder respond) {
  if (route.action == Action::keys)
    return kv_.handle(std::move(request), grant, std::move(respond));
  if (route.action == Action::blocks)
    return handle_block(sources_.control, home_, request, grant, std::move(respond));
  if (route.action == Action::streams) return streams_.handle(request, grant, std::move(respond));
  if (!has_method(route, request.method))
    return respond(method_not_allowed(std::string(route.methods)));
  if (auto refusal = refuse_need(route, grant)) return respond(std::move(*refusal));
  if (route.page != nullptr)
    return respond(route.page(sources_, split_target(request.target).query));
  switch (route.action) {
    case Action::none:
    case Action::keys:
    case Action::blocks:
    case Action::streams: return respond(error_reply(404, "not found"));
    case Action::reload: return handle_reload(std::move(respond));
    case Action::back_up: return handle_backup(request, std::move(respond));
  }
}

void Router::handle_backup(const Request& request, Responder respond) {
  std::string name = backup_name(request.body);
  if (name.empty())
    return respond(error_reply(
        400, R"(expected {"name":"..."} with letters, digits, "-", "_" and ".", 100 at most)"));
  sources_.control.back_up(std::move(name), [home = home_, respond = std::move(respond)](
                                                base::Result<std::string> directory) mutable {
    home->post([respond = std::move(respond), directory = std::move(directory)]() mutable {
      respond(backup_reply(directory));
    });
  });
}

void Router::handle_reload(Responder respond) {
  // The result may come on any thread; what it leads to belongs on this one.
  sources_.control.reload_plugins(
      [home = home_, &control = sources_.control,
       respond = std::move(respond)](base::Result<ReloadReport> result) mutable {
        home->post([&control, respond = std::move(respond), result = std::move(result)]() mutable {
          respond(result ? reload_done(control, *result) : reload_failed(result.error()));
        });
      });
}

}  // namespace helios::admin
