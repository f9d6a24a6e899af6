// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP/1.1 server of the admin interface: sockets and framing on one thread of its own; what a
// request means is the handler's business.
//
// Flow: 1 construct; 2 make the handler, which may need executor(); 3 start(); 4 stop() (or destroy)
// before the handler dies.
//
// One request of a connection is worked on at a time; pipelined ones wait in the connection's buffer
// and, behind it, in the client. Chunked bodies and "Expect: 100-continue" are understood. What is
// malformed or too large gets a JSON error (400, 413, 431) and the connection ends; one that takes
// too long is closed. At max_connections, further clients wait in the kernel's queue until one ends;
// who has max_peer_connections is not let in a further time.
//
// With a TLS context, every connection begins with a TLS handshake. The server does not look at
// tokens, Host or Origin (access_guard.hpp does), beyond refusing HTTP/1.1 requests without exactly
// one Host, and addresses that check_admin() refuses.

#include "admin/http/tls_context.hpp"
#include "admin/message.hpp"
#include "base/executor.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "metrics/counter.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace helios::admin::http {

using Limits = config::AdminLimits;

struct ServerStats {
  metrics::Gauge connections;
  metrics::SharedCounter peer_refusals;  // connections closed: their host had too many
  metrics::SharedCounter handshake_failures;
};

// Called on the server's thread for each request.
using Handler = std::function<void(Request, Responder)>;

// Thread rule: one thread constructs, starts, stops and destroys.
class Server {
 public:
  // What the handler, or anything on the way to it and back, throws ends its request with 500, or its connection, and is
  // reported to `faults`; to `log` where that is null. Both outlive the server.
  explicit Server(base::Log& log, Limits limits, base::FaultSink* faults = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The server's thread. May be held for longer than the server lives; what is posted after stop()
  // is dropped.
  [[nodiscard]] std::shared_ptr<base::Executor> executor() const;

  // Listens on every address and begins to serve, with TLS unless `tls` is nullptr. A default address
  // that the machine lacks is skipped, with a log line. Errors: unavailable (an address is busy or
  // missing, one line that names it), invalid (check_admin() refuses an address). After an error
  // nothing listens. Requires: called once; `tls` is load_tls() of `admin`.
  [[nodiscard]] base::Result<void> start(const config::Admin& admin,
                                         std::shared_ptr<TlsContext> tls, Handler handler);

  // For connections to come; those that are open go on as they are. Requires: called on the server's
  // thread (executor()).
  void replace(std::shared_ptr<TlsContext> tls, const Limits& limits);

  // From any thread, as long as the server lives.
  [[nodiscard]] const ServerStats& stats() const;

  // Where it listens, with the real ports. Valid after start().
  [[nodiscard]] const std::vector<config::Address>& addresses() const;

  // Cuts all connections and joins the thread. The handler is not called any more; answers still due
  // are dropped. Harmless when called again.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helios::admin::http
