// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin interface without its sockets: a request goes in, a response comes out through the
// responder. docs/admin-api.md is the list of routes.

#include "admin/access_guard.hpp"
#include "admin/action_order.hpp"
#include "admin/control.hpp"
#include "admin/kv_routes.hpp"
#include "admin/message.hpp"
#include "admin/routes.hpp"
#include "admin/stream_routes.hpp"
#include "base/executor.hpp"
#include "kv/store.hpp"

#include <memory>

namespace helios::admin {

class Router {
 public:
  // `home` is where handle() is called and where pending work continues; it is kept alive by that
  // work. Requires: `store`, `control` and `access` outlive the router and every answer that is
  // still due. `start` tells the entity tags of this start from those of all others.
  Router(kv::Store& store, Control& control, std::shared_ptr<base::Executor> home,
         AccessGuard& access, StartId start);

  // Requires: called on `home`'s thread. Calls `respond` once, on that thread, now or later.
  void handle(Request request, Responder respond);

 private:
  void take_turn(const Route& route, Request request, Grant grant, Responder respond);
  void tell(const Route& route, Request request, Grant grant, Responder respond);
  void dispatch(const Route& route, Request request, const Grant& grant, Responder respond);
  void handle_reload(Responder respond);
  void handle_backup(const Request& request, Responder respond);

  Sources sources_;
  AccessGuard& access_;
  std::shared_ptr<base::Executor> home_;
  ActionOrder order_;
  KvRoutes kv_;
  StreamRoutes streams_;
};

}  // namespace helios::admin
