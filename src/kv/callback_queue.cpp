// SPDX-License-Identifier: Apache-2.0
#include "kv/callback_queue.hpp"

#include <utility>

namespace helios::kv {

void CallbackQueue::deliver(std::unique_lock<std::mutex>& lock) {
  if (delivering_) return;
  delivering_ = true;
  while (!due_.empty()) {
    base::Task callback = std::move(due_.front());
    due_.pop_front();
    lock.unlock();
    callback();
    // What it captured may give something back to the owner, so it goes before the lock is taken.
    callback = nullptr;
    lock.lock();
  }
  delivering_ = false;
}

}  // namespace helios::kv
