// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the contexts of both sides have in common: how they read certificates and keys, and what holds for every
// connection. Private to this module.

#include "base/result.hpp"
#include "config/config.hpp"

#include <string>

struct ssl_ctx_st;

namespace helios::tls {

// "ORIGIN: what", where somebody has configured it.
[[nodiscard]] std::unexpected<base::Error> wrong(base::Errc code, const std::string& origin,
                                                 const std::string& what);

// The text of a file, of at most 1 MiB. Errors: not_found, limit_exceeded; the message begins with the path.
[[nodiscard]] base::Result<std::string> read_pem(const std::string& path);

// No renegotiation, no compression, no session that could be resumed, no buffers while nothing happens.
void set_rules(ssl_ctx_st* context, config::TlsVersion min_version);

// Reads certificate and key and checks that they belong together. Errors: as ServerContext::load().
[[nodiscard]] base::Result<void> use_files(ssl_ctx_st* context,
                                           const config::CertificateFiles& files);

// From now on `authorities` are believed, and nobody whom `revoked` lists; empty paths: nobody, nothing. Each of its
// authorities needs a list then. Errors: not_found, limit_exceeded, invalid; the message begins with the origin, and names the file.
[[nodiscard]] base::Result<void> believe_files(ssl_ctx_st* context,
                                               const config::NamedFile& authorities,
                                               const config::NamedFile& revoked);

}  // namespace helios::tls
