// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reaches the configured server: tries its addresses one after the other, each within the time limit.

#include "net/engine/engine.hpp"
#include "net/server_addresses.hpp"
#include "net/server_health.hpp"
#include "tls/client_context.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace helios::net {

// Where the server is, and whether it is spoken to by TLS; never without addresses. Shared by those who are on their way there, or were:
// a reload makes a new one.
struct ServerTarget {
  std::shared_ptr<const ServerAddresses> addresses;
  std::int64_t connect_timeout_ms = 5000;  // for each address
  config::Tcp tcp = {};                    // how their connections are watched
  std::shared_ptr<ServerHealth>
      health;             // what attempts of sessions have told; null: no session dials it
  std::string host = {};  // for its certificate
  tls::SharedClientContext tls = {};  // null: in clear
  bool may_be_in_clear = false;       // where the server has no TLS (sslmode=prefer)
  bool is_tls_direct = false;         // begins with the handshake (sslnegotiation=direct)
};
using SharedTarget = std::shared_ptr<const ServerTarget>;

// `known`: one that stands for this, whose addresses and health are kept as far as they are of the same server. Else nothing is known
// of its health, and a name is looked up anew, by a thread of its own: one target is made for all who dial there.
[[nodiscard]] ServerTarget server_target(const config::Server& server, const config::Tcp& tcp = {},
                                         tls::SharedClientContext tls = nullptr,
                                         const ServerTarget* known = nullptr);

class DialHandler {
 public:
  virtual ~DialHandler() = default;
  // One of the two, once. The dialer may be destroyed inside.
  virtual void on_dialled(Fd connection, SharedEndpoint to) = 0;
  // `reason` is what the system says about the last address, e.g. "Connection refused".
  virtual void on_dial_failed(const std::string& reason) = 0;
};

// Destroying it ends the attempt; nothing is reported then. Lifetime: all references outlive it.
class Dialer final : private ConnectHandler {
 public:
  // `only`: where to dial; null: the target's addresses. While those are still looked up, the time limit runs.
  Dialer(Engine& engine, SharedTarget target, SharedEndpoints only, DialHandler& handler);
  ~Dialer() override;
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

 private:
  void begin();
  void restart_time_limit();
  void try_next();
  void try_other(const std::string& reason);
  void on_connected(Fd connection) override;
  void on_connect_failed(int error) override;
  void give_up(const std::string& reason);

  Engine& engine_;
  const SharedTarget target_;
  SharedEndpoints endpoints_;  // null: not known yet
  DialHandler& handler_;
  std::size_t next_ = 0;  // endpoint that is being tried
  OperationPtr attempt_;
  TimerId time_limit_;
  TimerId retry_;
};

}  // namespace helios::net
