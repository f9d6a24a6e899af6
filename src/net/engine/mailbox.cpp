// SPDX-License-Identifier: Apache-2.0

#include "net/engine/mailbox.hpp"

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace helios::net {

Mailbox::Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Mailbox::post(base::Task task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake = std::exchange(owner_sleeps_, false);
  }
  if (wake) {
    const std::uint64_t one = 1;
    // Cannot fail: the counter would have to reach 2^64.
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof(one));
  }
}

bool Mailbox::prepare_to_sleep() {
  const std::lock_guard lock(mutex_);
  owner_sleeps_ = tasks_.empty();
  return owner_sleeps_;
}

void Mailbox::run_all(base::FaultSink* faults) {
  {
    const std::lock_guard lock(mutex_);
    owner_sleeps_ = false;
    running_.swap(tasks_);
  }
  for (auto& task : running_) {
    base::contain(faults, base::FaultPlace::mailbox, task);
  }
  running_.clear();
}

}  // namespace helios::net
