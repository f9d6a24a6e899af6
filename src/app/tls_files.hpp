// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TLS of both legs, as the configuration has it.

#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "net/tls_contexts.hpp"

namespace helios::app {

// Reads certificates and keys. Logs what is no error but will be noticed, as a certificate that has expired. Errors: as
// tls::ServerContext::load() and tls::ClientContext::load(); a line for each thing that is wrong.
[[nodiscard]] base::Result<net::TlsContexts> load_tls(const config::Config& config, base::Log& log);

}  // namespace helios::app
