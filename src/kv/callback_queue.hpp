// SPDX-License-Identifier: Apache-2.0
#pragma once

// Callbacks that became due under a lock and are called after it was released, one at a time, in
// order. A callback may cause further ones: they are called by the loop that is already running
// instead of from within, so chains of any length need no stack.

#include "base/executor.hpp"

#include <deque>
#include <mutex>

namespace helios::kv {

// Thread rule: every call is made with the mutex held that guards the queue's owner.
class CallbackQueue {
 public:
  void push(base::Task callback) { due_.push_back(std::move(callback)); }

  // Calls what is due, with `lock` released meanwhile; returns with it held. Does nothing when this
  // runs already, on this thread or another: that one will call them.
  void deliver(std::unique_lock<std::mutex>& lock);

 private:
  std::deque<base::Task> due_;
  bool delivering_ = false;
};

}  // namespace helios::kv
