// SPDX-License-Identifier: Apache-2.0
#include "support/manual_executor.hpp"

#include <utility>

namespace helios::test {

void ManualExecutor::post(base::Task task) {
  const std::scoped_lock lock(mutex_);
  tasks_.push_back(std::move(task));
}

bool ManualExecutor::run_one() {
  base::Task task;
  {
    const std::scoped_lock lock(mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  return true;
}

std::size_t ManualExecutor::run_all() {
  std::size_t count = 0;
  while (run_one()) ++count;
  return count;
}

std::size_t ManualExecutor::size() const {
  const std::scoped_lock lock(mutex_);
  return tasks_.size();
}

}  // namespace helios::test
