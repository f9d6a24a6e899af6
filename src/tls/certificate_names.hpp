// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who a certificate says its owner is.
//
// Thread rule: any thread.

#include "base/result.hpp"

#include <string>

// OpenSSL's own, so that users need not include it.
struct x509_st;

namespace helios::tls {

struct CertificateNames {
  std::string
      common_name;  // the first of the subject; empty: it has none, or one with a NUL inside
  std::string distinguished_name;  // the subject as RFC 2253 writes it: "CN=ann,O=Example"
};

[[nodiscard]] CertificateNames names_of(const x509_st* certificate);

// Of the first certificate in a PEM file. Errors: not_found, limit_exceeded, invalid; the message begins with the path.
[[nodiscard]] base::Result<CertificateNames> read_certificate_names(const std::string& path);

}  // namespace helios::tls
