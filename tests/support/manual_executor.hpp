// SPDX-License-Identifier: Apache-2.0
#pragma once

// An executor without a thread: tasks wait until the test runs them, so the test decides what happens
// between posting and running.

#include "base/executor.hpp"

#include <cstddef>
#include <deque>
#include <mutex>

namespace helios::test {

// Thread rule: post(), size() and the run functions may be called from any thread; a task runs on the
// thread that calls run_one() or run_all().
class ManualExecutor final : public base::Executor {
 public:
  void post(base::Task task) override;

  // Runs the oldest waiting task. Returns false when there is none.
  bool run_one();

  // Runs tasks until none is left, those included that the tasks post. Returns how many ran.
  std::size_t run_all();

  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<base::Task> tasks_;
};

}  // namespace helios::test
