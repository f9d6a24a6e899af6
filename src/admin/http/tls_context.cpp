// SPDX-License-Identifier: Apache-2.0
#include "admin/http/tls_context.hpp"

#include "tls/server_context.hpp"

#include <boost/asio/ssl/context.hpp>

namespace helios::admin::http {

base::Result<std::shared_ptr<TlsContext>> load_tls(const config::Admin& admin) {
  if (admin.tls.certificate.empty()) return std::shared_ptr<TlsContext>();
  config::Tls settings;
  settings.certificates = {admin.tls};
  const auto loaded = tls::ServerContext::load(settings, {});
  if (!loaded) return std::unexpected(loaded.error());
  return std::make_shared<TlsContext>((*loaded)->share().release());  // takes it
}

}  // namespace helios::admin::http
