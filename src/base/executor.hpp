// SPDX-License-Identifier: Apache-2.0
#pragma once

// The seam through which work changes threads: a worker's mailbox and the slow lane are both
// Executors.

#include <functional>

namespace helios::base {

using Task = std::move_only_function<void()>;

// Thread rule: post() may be called from any thread and never blocks for long.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` later, exactly once, on the executor's own thread(s); never inside this call. Tasks
  // of one single-threaded executor run in the order in which they were posted. A task that is
  // still waiting when the executor is destroyed is destroyed without having run.
  virtual void post(Task task) = 0;
};

}  // namespace helios::base
