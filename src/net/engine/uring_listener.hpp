// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accepting under io_uring: one request that completes with every connection. Private to this module.

#include "net/engine/uring_source.hpp"

namespace helios::net {

class UringListener final : public Operation, public UringSource {
 public:
  UringListener(UringCore& core, Fd listening, AcceptHandler& handler);

  void release() override;

  bool prepare() override;
  void on_completion(UringUse use, const UringCompletion& completion,
                     std::string_view received) override;
  void service() override {}
  void abandon() override { release(); }

 private:
  void on_accepted(Fd connection);
  void on_error(int error);
  void rest(int error);

  UringCore& core_;
  Fd socket_;
  AcceptHandler& handler_;
  UringRequest accept_{UringUse::accept};
  bool resting_ = false;
  bool released_ = false;
  TimerId rest_timer_;
};

}  // namespace helios::net
