// SPDX-License-Identifier: Apache-2.0

#include "app/admin_service.hpp"

#include "app/start_id.hpp"

#include <string>
#include <utility>
#include <vector>

namespace helios::app {
namespace {

std::string prefixed(const std::string& origin, const std::string& message) {
  return origin.empty() ? message : origin + ": " + message;
}

double to_number(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

base::Result<AdminService::Access> AdminService::load(const config::Admin& admin) {
  // Again: flags, and what a reload keeps, may have changed the addresses since the file was read.
  if (const auto checked = config::check_admin(admin); !checked) {
    return base::fail(checked.error().code, prefixed(admin.origin, checked.error().message));
  }
  auto tokens = admin::TokenSet::load(admin);
  auto tls = admin::http::load_tls(admin);
  if (!tokens && !tls) {
    return base::fail(tokens.error().code, tokens.error().message + "\n" + tls.error().message);
  }
  if (!tokens) return std::unexpected(tokens.error());
  if (!tls) return std::unexpected(tls.error());
  return Access{*std::move(tokens), *std::move(tls), admin.limits};
}

AdminService::AdminService(AdminControl::Process process, kv::Store& store, base::Log& log,
                           const base::Clock& clock, Access access, base::FaultSink& faults)
    : control_(std::move(process)),
      tls_(std::move(access.tls)),
      server_(log, access.limits, &faults),
      access_(log, clock, std::move(access.tokens)),
      router_(store, control_, server_.executor(), access_, new_start_id()) {}

base::Result<void> AdminService::start(const config::Admin& admin) {
  const auto started = server_.start(admin, std::exchange(tls_, nullptr),
                                     [this](admin::Request request, admin::Responder respond) {
                                       router_.handle(std::move(request), std::move(respond));
                                     });
  if (!started) {
    return base::fail(started.error().code, prefixed(admin.origin, started.error().message));
  }
  return {};
}

void AdminService::replace(Access access) {
  server_.executor()->post([this, access = std::move(access)]() mutable {
    access_.replace(std::move(access.tokens));
    server_.replace(std::move(access.tls), access.limits);
  });
}

metrics::Source AdminService::metrics_source() const {
  return [&access = access_.stats(), &server = server_.stats()](std::vector<metrics::Family>& out) {
    const auto add_refusals = [&out](const char* reason, const metrics::SharedCounter& counter) {
      out.push_back(metrics::counter_family("helios_admin_refused_requests_total",
                                            "Admin requests turned away", counter.value(),
                                            {{"reason", reason}}));
    };
    add_refusals("no_token", access.missing_tokens);
    add_refusals("bad_token", access.bad_tokens);
    add_refusals("forbidden", access.forbidden);
    out.push_back(metrics::counter_family("helios_admin_writes_total",
                                          "Admin requests that may have changed something",
                                          access.writes.value()));
    out.push_back(metrics::gauge_family("helios_admin_connections", "Open admin connections",
                                        to_number(server.connections.value())));
    out.push_back(metrics::counter_family("helios_admin_refused_connections_total",
                                          "Admin connections of hosts that had too many",
                                          server.peer_refusals.value()));
    out.push_back(metrics::counter_family("helios_admin_tls_failures_total",
                                          "Admin connections whose TLS handshake failed",
                                          server.handshake_failures.value()));
  };
}

}  // namespace helios::app
