// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TLS that clients get, as the configuration has it.

#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "tls/server_context.hpp"

namespace helios::app {

// Reads certificates and keys. Null: clients get none. Logs what is no error but will be noticed, as a certificate that
// has expired. Errors: as tls::ServerContext::load().
[[nodiscard]] base::Result<tls::SharedServerContext> load_client_tls(const config::Tls& settings,
                                                                     base::Log& log);

}  // namespace helios::app
