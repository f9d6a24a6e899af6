// SPDX-License-Identifier: Apache-2.0
#pragma once

// Brings a connection to the server so far that the protocol can begin: dials, and agrees on TLS where [server] sslmode
// asks for it (manual, "SSL Session Encryption"). Through a Unix socket nobody listens in: there is no TLS.
//
// Nothing that the server says before the handshake is believed, or shown to a client: somebody on the way may have said
// it (CVE-2021-23222, CVE-2024-10977). So the answer to an SSLRequest is one byte, and nothing may come with it.
//
// Thread rule: the engine's thread.

#include "net/dialer.hpp"
#include "net/tls_stream.hpp"

#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace helios::net {

class ServerHandler {
 public:
  // One of the three, once. `stream` has reported nothing that is missing: take it over with Stream::report_to(), within
  // the call. It keeps to LossReport::after_received. `facts`: null where nothing is encrypted.
  virtual void on_server_reached(StreamPtr stream, SharedEndpoint to, const tls::Facts* facts) = 0;
  // `reason`: one line, e.g. "Connection refused".
  virtual void on_server_refused(const std::string& reason) = 0;
  // The work could not be done, for want of memory say.
  virtual void on_connect_fault(const std::exception_ptr& fault) = 0;

 protected:
  ~ServerHandler() = default;
};

// Begins at once. Destroying it ends the attempt. Where it has led to TLS, it outlives the stream.
class ServerConnector final : private DialHandler, private StreamHandler, private TlsHandler {
 public:
  // `only`: as Dialer has it. Lifetime: the references outlive it, and what it hands out.
  ServerConnector(Engine& engine, tls::Work& work, SharedTarget target, SharedEndpoints only,
                  ServerHandler& handler);
  ~ServerConnector() override;
  ServerConnector(const ServerConnector&) = delete;
  ServerConnector& operator=(const ServerConnector&) = delete;

  // Ends the attempt, if it is still one.
  void close();

 private:
  void on_dialled(Fd connection, SharedEndpoint to) override;
  void on_dial_failed(const std::string& reason) override;
  void on_received(std::string_view bytes) override;
  void on_eof() override;
  void on_lost(int error) override;
  void on_drained() override {}
  void on_encrypted(const tls::Facts& facts) override;
  void on_tls_failed(const std::string& reason) override;

  template <typename Step>
  void contain(Step step);
  void agree_on_tls();
  void encrypt();
  void finish(const tls::Facts* facts);
  void refuse(const std::string& reason);

  Engine& engine_;
  tls::Work& work_;
  const SharedTarget target_;
  ServerHandler& handler_;
  std::unique_ptr<Dialer> dialer_;  // while it is dialled
  StreamPtr stream_;                // while the two agree on TLS
  SharedEndpoint endpoint_;
  TimerId time_limit_;
  std::string tls_failure_;
};

}  // namespace helios::net
