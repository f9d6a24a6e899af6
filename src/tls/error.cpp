// SPDX-License-Identifier: Apache-2.0
#include "tls/error.hpp"

#include <openssl/err.h>

namespace helios::tls {

void clear_errors() { ERR_clear_error(); }

// The first one is the cause; those behind it are what its callers made of it.
std::string take_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(error));
}

}  // namespace helios::tls
