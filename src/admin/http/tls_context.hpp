// SPDX-License-Identifier: Apache-2.0
#pragma once

// Certificate and key of the admin port, read and checked, for connections to come.

#include "base/result.hpp"
#include "config/config.hpp"

#include <memory>

namespace boost::asio::ssl {
class context;
}

namespace helios::admin::http {

using TlsContext = boost::asio::ssl::context;

// Reads the files that the configuration names: TLS 1.2 and 1.3, no renegotiation. Nullptr where it
// names none. Errors: those of config::read_secret_file() for the key, invalid (not PEM, key and
// certificate do not belong together, ...); the message begins with the place in the configuration
// and names the file.
[[nodiscard]] base::Result<std::shared_ptr<TlsContext>> load_tls(const config::Admin& admin);

}  // namespace helios::admin::http
