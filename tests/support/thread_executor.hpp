// SPDX-License-Identifier: Apache-2.0
#pragma once

// An executor with one thread of its own: what comes late comes from another thread, as in production.

#include "base/executor.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace helios::test {

// Thread rule: every call may be made from any thread; wait_until_idle() not from a task.
class ThreadExecutor final : public base::Executor {
 public:
  ThreadExecutor();
  ~ThreadExecutor() override;

  void post(base::Task task) override;

  // Returns when no task is waiting or running. Everything that tasks did happened before.
  void wait_until_idle();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<base::Task> tasks_;
  bool is_running_task_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace helios::test
