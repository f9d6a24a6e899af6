// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connecting under io_uring. Private to this module.
//
// The call itself is made directly: it is one per session, and only so does a Unix socket whose server
// is busy say so instead of making the ring wait.

#include "net/engine/uring_source.hpp"

namespace helios::net {

class UringConnector final : public Operation, public UringSource {
 public:
  UringConnector(UringCore& core, ConnectHandler& handler) : core_(core), handler_(handler) {}

  void start(const Endpoint& to);
  void release() override;

  bool prepare() override;
  void on_completion(UringUse use, const UringCompletion& completion,
                     std::string_view received) override;
  void service() override;
  void abandon() override { release(); }

 private:
  enum class State { waiting, decided, reported, released };

  void decide(int error);

  UringCore& core_;
  ConnectHandler& handler_;
  Fd socket_;
  UringRequest watch_{UringUse::watch};
  State state_ = State::waiting;
  int error_ = 0;  // decided: 0 = connected
};

}  // namespace helios::net
