// SPDX-License-Identifier: Apache-2.0
#include "support/thread_executor.hpp"

#include <utility>

namespace helios::test {

ThreadExecutor::ThreadExecutor() : thread_([this] { run(); }) {}

ThreadExecutor::~ThreadExecutor() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ThreadExecutor::post(base::Task task) {
  {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void ThreadExecutor::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty() && !is_running_task_; });
}

void ThreadExecutor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
    if (is_stopping_) return;
    base::Task task = std::move(tasks_.front());
    tasks_.pop_front();
    is_running_task_ = true;
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
    is_running_task_ = false;
    if (tasks_.empty()) changed_.notify_all();
  }
}

}  // namespace helios::test
