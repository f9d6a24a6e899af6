// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accepting under epoll. Private to this module.

#include "net/engine/epoll_source.hpp"

namespace helios::net {

class EpollListener final : public Operation, public EpollSource {
 public:
  EpollListener(EpollCore& core, Fd listening, AcceptHandler& handler);

  void start();
  void release() override;
  void on_events(std::uint32_t events) override;
  void service() override;

 private:
  bool accept_one();
  void rest(int error);

  EpollCore& core_;
  Fd socket_;
  AcceptHandler& handler_;
  bool resting_ = false;
  TimerId rest_timer_;
};

}  // namespace helios::net
