// SPDX-License-Identifier: Apache-2.0
#pragma once

// The other side of the admin interface: sends one request to a proxy and waits for the answer. For
// the command line; blocks the calling thread.

#include "admin/message.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace helios::admin::http {

// Which proxy, and how to talk to it.
struct Endpoint {
  bool tls = false;
  std::string host;  // name or IP literal
  std::string port;
  std::string token;    // sent as bearer token; empty: none
  std::string ca_file;  // PEM, for tls; empty: what the system trusts
};

// "http://HOST[:PORT]" or "https://...", port 9090 unless said otherwise; IPv6 literals in brackets.
// Errors: invalid.
[[nodiscard]] base::Result<Endpoint> parse_endpoint(const std::string& url);

// Sends method, target, body, Accept and the headers of writes (If-Match to Helios-New-Namespace) of `request`; the rest
// comes from `endpoint`. A new connection each time. Errors: unavailable (cannot connect, TLS fails, no
// answer within `timeout_ms`), limit_exceeded (an answer beyond 64 MiB), invalid (not HTTP, ca_file).
[[nodiscard]] base::Result<Response> send(const Endpoint& endpoint, const Request& request,
                                          std::int64_t timeout_ms);

}  // namespace helios::admin::http
