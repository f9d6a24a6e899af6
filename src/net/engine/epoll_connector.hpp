// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connecting under epoll. Private to this module.

#include "net/engine/epoll_source.hpp"

namespace helios::net {

class EpollConnector final : public Operation, public EpollSource {
 public:
  EpollConnector(EpollCore& core, ConnectHandler& handler) : core_(core), handler_(handler) {}

  void start(const Endpoint& to);
  void release() override;
  void on_events(std::uint32_t events) override;
  void service() override;

 private:
  enum class State { waiting, decided, reported, released };

  void decide(int error);

  EpollCore& core_;
  ConnectHandler& handler_;
  Fd socket_;
  State state_ = State::waiting;
  int error_ = 0;  // decided: 0 = connected
};

}  // namespace helios::net
