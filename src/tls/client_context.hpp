// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a client needs to speak TLS: whom it believes, and who it is itself. Made once and shared by all connections that begin
// from then on, as a ServerContext; the same rules hold.
//
// Thread rule: any thread.

#include "base/result.hpp"
#include "config/config.hpp"
#include "tls/opening.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace helios::tls {

class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  // Reads the files that `settings` names. `protocol`: what is spoken inside, which the server is told (ALPN, RFC 7301).
  // Requires: the mode is not `disable`. Errors: as ServerContext::load(), also for a root certificate that is none.
  [[nodiscard]] static base::Result<std::shared_ptr<const ClientContext>> load(
      const config::ServerTls& settings, std::string_view protocol);

  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // A connection to `host`, a name or an address, for Channel. Throws: std::bad_alloc.
  [[nodiscard]] Opening open(const std::string& host) const;

 private:
  ClientContext() = default;

  ContextPtr context_;
  bool checks_name_ = false;
};
using SharedClientContext = std::shared_ptr<const ClientContext>;

}  // namespace helios::tls
