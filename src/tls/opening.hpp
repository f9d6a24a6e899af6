// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TLS connection that has not begun: OpenSSL's state of it, and what it was made of, which has to outlive it.

#include <memory>

// OpenSSL's own, so that users need not include it.
struct ssl_ctx_st;
struct ssl_st;

namespace helios::tls {

struct ContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using ContextPtr = std::unique_ptr<ssl_ctx_st, ContextDeleter>;

struct ConnectionDeleter {
  void operator()(ssl_st* connection) const;
};
using ConnectionPtr = std::unique_ptr<ssl_st, ConnectionDeleter>;

struct Opening {
  std::shared_ptr<const void> context;
  ConnectionPtr connection;
  bool is_client = false;  // whose first word it is
};

}  // namespace helios::tls
