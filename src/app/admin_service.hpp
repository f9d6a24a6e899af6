// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin interface as one part of the process: server, routes and who may use them.

#include "admin/access_guard.hpp"
#include "admin/http/server.hpp"
#include "admin/router.hpp"
#include "app/admin_control.hpp"
#include "base/clock.hpp"
#include "metrics/registry.hpp"

#include <memory>

namespace helios::app {

// Thread rule: one thread, but for load() and replace().
class AdminService {
 public:
  // What stands behind a configuration: its tokens and its certificate.
  struct Access {
    std::shared_ptr<const admin::TokenSet> tokens;
    std::shared_ptr<admin::http::TlsContext> tls;
    config::AdminLimits limits;
  };

  // Reads it. Errors: those of check_admin(), TokenSet::load() and load_tls(); the message begins
  // with the place in the configuration.
  [[nodiscard]] static base::Result<Access> load(const config::Admin& admin);

  // Lifetime: everything passed outlives the service.
  AdminService(AdminControl::Process process, kv::Store& store, base::Log& log,
               const base::Clock& clock, Access access, base::FaultSink& faults);

  // Listens and begins to serve. Errors: those of http::Server::start(); the message begins with the
  // place in the configuration.
  [[nodiscard]] base::Result<void> start(const config::Admin& admin);

  // Tokens from the next request on, certificate and limits for connections to come. The addresses
  // stay. Thread rule: any thread.
  void replace(Access access);

  // See http::Server::stop().
  void stop() { server_.stop(); }

  // Requires: the service outlives the source.
  [[nodiscard]] metrics::Source metrics_source() const;

 private:
  AdminControl control_;
  std::shared_ptr<admin::http::TlsContext> tls_;  // until start()
  admin::http::Server server_;
  admin::AccessGuard access_;
  admin::Router router_;
};

}  // namespace helios::app
