// SPDX-License-Identifier: Apache-2.0
#include "admin/http/mailbox.hpp"

#include <utility>

namespace helios::admin::http {

void Mailbox::post(base::Task task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  waiting_.push_back(std::move(task));
  if (waiting_.size() == 1) wake_();
}

void Mailbox::run_all(base::FaultSink* faults) {
  std::vector<base::Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(waiting_);
  }
  for (base::Task& task : tasks) base::contain(faults, base::FaultPlace::admin, task);
}

void Mailbox::close() {
  // Destroyed without the lock: what a task owns may post when it goes.
  std::vector<base::Task> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
}

}  // namespace helios::admin::http
