// SPDX-License-Identifier: Apache-2.0
#include "tls/opening.hpp"

#include <openssl/ssl.h>

namespace helios::tls {

void ContextDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

void ConnectionDeleter::operator()(SSL* connection) const { SSL_free(connection); }

}  // namespace helios::tls
