// SPDX-License-Identifier: Apache-2.0
#include "app/client_tls.hpp"

namespace helios::app {
namespace {

// As PostgreSQL 17 and libpq name what they speak (ALPN).
constexpr std::string_view kProtocol = "postgresql";

}  // namespace

base::Result<tls::SharedServerContext> load_client_tls(const config::Tls& settings,
                                                       base::Log& log) {
  if (settings.mode == config::TlsMode::disable) return tls::SharedServerContext();
  auto loaded = tls::ServerContext::load(settings, kProtocol);
  if (!loaded) return loaded;
  for (const auto& warning : (*loaded)->warnings()) log.write(base::LogLevel::warning, warning);
  return loaded;
}

}  // namespace helios::app
