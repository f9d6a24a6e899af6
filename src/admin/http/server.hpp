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
// too long is closed. At max_connections, further clients wait in the kernel's queue until one ends.
//
// Only loopback addresses are served. The server itself does not look at Host or Origin, beyond
// refusing HTTP/1.1 requests without exactly one Host: see browser_guard.hpp.

#include "admin/message.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace helios::admin::http {

struct Limits {
  std::uint64_t max_body_bytes = 8ULL << 20;
  std::uint32_t max_header_bytes = 64U << 10;  // request line and header lines together
  std::size_t max_connections = 256;
  std::uint32_t read_timeout_ms = 15'000;   // for a whole request, from its first byte
  std::uint32_t write_timeout_ms = 15'000;  // for a whole response
  std::uint32_t idle_timeout_ms = 60'000;   // between two requests; longer than scrape intervals
};

// Called on the server's thread for each request.
using Handler = std::function<void(Request, Responder)>;

// Thread rule: one thread constructs, starts, stops and destroys.
class Server {
 public:
  // `log` must outlive the server.
  Server(base::Log& log, Limits limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The server's thread. May be held for longer than the server lives; what is posted after stop()
  // is dropped.
  [[nodiscard]] std::shared_ptr<base::Executor> executor() const;

  // Listens on every address and begins to serve. A default address that the machine lacks is
  // skipped, with a log line. Errors: unavailable (an address is busy or missing, one line that
  // names it), invalid (an address is not loopback). After an error nothing listens.
  // Requires: called once.
  [[nodiscard]] base::Result<void> start(const config::Admin& admin, Handler handler);

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
