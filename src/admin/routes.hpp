// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every route of the admin interface. The router answers by this table; a test compares it with
// docs/openapi.yaml.

#include "admin/control.hpp"
#include "admin/message.hpp"
#include "kv/store.hpp"

#include <span>
#include <string_view>

namespace helios::admin {

inline constexpr std::string_view kReadMethods = "GET, HEAD";
inline constexpr std::string_view kKeyMethods = "GET, HEAD, PUT, POST, DELETE";
inline constexpr std::string_view kListMethods = "GET, HEAD, DELETE";

// What somebody needs where tokens are configured.
enum class Need {
  nothing,     // open: health checks, and a page that says nothing about this process
  any_token,   // says which version runs, no more
  everything,  // concerns all plugins: a token that is not limited to namespaces, with the scope
  its_keys,    // a token for the namespace, with the scope; streams are no different
};

// What pages tell about.
struct Sources {
  Control& control;
  kv::Store& store;
};

// What answers where no page does: POST of these, or everything about single blocks, keys and streams.
enum class Action { none, reload, back_up, blocks, keys, streams };

struct Route {
  std::string_view path;     // as in the description: "/admin/kv/{plugin}/{key}"
  std::string_view methods;  // as in Allow
  Need need;
  // What GET tells, by the query of the target; nullptr where it is not as simple.
  Response (*page)(const Sources&, std::string_view query);
  Action action = Action::none;
};

[[nodiscard]] std::span<const Route> routes();

// The route of a path (without query), nullptr when there is none. Paths below /blocks/ are one, and those below /admin/kv are one
// route here, which of them is for KvRoutes to tell; likewise those below /admin/streams.
[[nodiscard]] const Route* find_route(std::string_view path);

}  // namespace helios::admin
