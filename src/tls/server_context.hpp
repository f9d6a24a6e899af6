// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a server needs to speak TLS: its certificates and keys, read and checked, and what it agrees to. Made once, and
// shared by all connections that begin from then on. A reload makes another one; connections keep theirs.
//
// What holds for each: TLS 1.2 or newer (RFC 5246, RFC 8446), no renegotiation, no compression. Sessions are not resumed:
// every connection shows who it is anew, and nothing is kept for clients that have gone.
//
// Thread rule: any thread.

#include "base/result.hpp"
#include "config/config.hpp"
#include "tls/opening.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::tls {

class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  // Reads the files that `settings` names. `protocol` is what is spoken inside (ALPN, RFC 7301): a client that names only
  // others is turned away; empty: no client is asked. Requires: there is a certificate.
  // Errors: not_found, limit_exceeded, invalid (no PEM, a passphrase, key and certificate that do not belong together, a
  // word that is no cipher); the message begins with the place in the configuration, and names the file.
  [[nodiscard]] static base::Result<std::shared_ptr<const ServerContext>> load(
      const config::Tls& settings, std::string_view protocol);

  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // For libraries that want OpenSSL's own. Requires: one certificate, and no protocol.
  [[nodiscard]] ContextPtr share() const;

  // A connection of somebody who has come, for Channel. Throws: std::bad_alloc.
  [[nodiscard]] Opening open() const;

  // What is not wrong but will be noticed, a line for each: a certificate that has expired, say.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  ServerContext() = default;
  base::Result<void> add(const config::CertificateFiles& files, const config::Tls& settings);
  void ask_for_name();
  void ask_for_protocol(std::string_view protocol);
  void note_times(const config::CertificateFiles& files);

  // The first is for everybody, another one for clients that ask for a name that stands in it (SNI, RFC 6066).
  std::vector<ContextPtr> contexts_;
  std::string protocol_;  // as ALPN has it: a byte of length, then the name
  std::vector<std::string> warnings_;
};
using SharedServerContext = std::shared_ptr<const ServerContext>;

}  // namespace helios::tls
