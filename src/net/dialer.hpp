// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reaches the configured server: tries its addresses one after the other, within one time limit.

#include "net/engine/engine.hpp"
#include "net/server_health.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace helios::net {

// Where the server is; never empty. Shared by those who are on their way there, or were: a reload makes a new one.
struct ServerTarget {
  std::vector<Endpoint> endpoints;
  std::int64_t connect_timeout_ms = 5000;  // for all endpoints together
  std::shared_ptr<ServerHealth>
      health;  // what attempts of sessions have told; null: no session dials it
};
using SharedTarget = std::shared_ptr<const ServerTarget>;

// With a health of which nothing is known.
[[nodiscard]] ServerTarget server_target(const config::Server& server);

class DialHandler {
 public:
  virtual ~DialHandler() = default;
  // One of the two, once. The dialer may be destroyed inside. `to` belongs to the target.
  virtual void on_dialled(Fd connection, const Endpoint& to) = 0;
  // `reason` is what the system says about the last address, e.g. "Connection refused".
  virtual void on_dial_failed(const std::string& reason) = 0;
};

// Destroying it ends the attempt; nothing is reported then. Lifetime: all references outlive it.
class Dialer final : private ConnectHandler {
 public:
  Dialer(Engine& engine, SharedTarget target, DialHandler& handler);
  ~Dialer() override;
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

 private:
  void try_next();
  void on_connected(Fd connection) override;
  void on_connect_failed(int error) override;
  void give_up(const std::string& reason);

  Engine& engine_;
  const SharedTarget target_;
  DialHandler& handler_;
  std::size_t next_ = 0;  // endpoint that is being tried
  OperationPtr attempt_;
  TimerId time_limit_;
  TimerId retry_;
};

}  // namespace helios::net
