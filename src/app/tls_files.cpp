// SPDX-License-Identifier: Apache-2.0
#include "app/tls_files.hpp"

#include <string>
#include <utility>

namespace helios::app {
namespace {

// As PostgreSQL 17 and libpq name what they speak (ALPN).
constexpr std::string_view kProtocol = "postgresql";

base::Result<tls::SharedServerContext> load_clients(const config::Tls& settings, base::Log& log) {
  if (settings.mode == config::TlsMode::disable) return tls::SharedServerContext();
  auto loaded = tls::ServerContext::load(settings, kProtocol);
  if (!loaded) return loaded;
  for (const auto& warning : (*loaded)->warnings()) log.write(base::LogLevel::warning, warning);
  return loaded;
}

base::Result<tls::SharedClientContext> load_server(const config::ServerTls& settings) {
  if (settings.mode == config::ServerTlsMode::disable) return tls::SharedClientContext();
  return tls::ClientContext::load(settings, kProtocol);
}

}  // namespace

base::Result<net::TlsContexts> load_tls(const config::Config& config, base::Log& log) {
  auto clients = load_clients(config.tls, log);
  auto server = load_server(config.server.tls);
  if (!clients && !server)
    return base::fail(base::Errc::invalid, clients.error().message + "\n" + server.error().message);
  if (!clients) return std::unexpected(clients.error());
  if (!server) return std::unexpected(server.error());
  return net::TlsContexts{*std::move(clients), *std::move(server)};
}

}  // namespace helios::app
