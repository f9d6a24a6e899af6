// SPDX-License-Identifier: Apache-2.0
#pragma once

// The way into an event loop from other threads: tasks behind a mutex, and an eventfd that is written
// only when the loop sleeps, so a busy loop is handed work without a system call.
//
// Flow of the owner: 1 prepare_to_sleep(); 2 wait, with fd() among the things waited for (edge
// triggered: it is never read); 3 run_all().

#include "base/executor.hpp"
#include "base/faults.hpp"
#include "net/engine/fd.hpp"

#include <mutex>
#include <vector>

namespace helios::net {

// Thread rule: post() from any thread, the rest on the owner's.
class Mailbox final : public base::Executor {
 public:
  Mailbox();

  void post(base::Task task) override;

  [[nodiscard]] int fd() const { return event_.get(); }

  // From here on, post() wakes the owner. Returns false when tasks are waiting: do not sleep then.
  [[nodiscard]] bool prepare_to_sleep();

  // The owner is awake. Runs the tasks that are waiting now; those that they post come the next time. One that
  // throws is over, `faults` is told; see contain().
  void run_all(base::FaultSink* faults = nullptr);

 private:
  Fd event_;
  std::mutex mutex_;
  std::vector<base::Task> tasks_;  // guarded by mutex_
  bool owner_sleeps_ = false;      // guarded by mutex_
  std::vector<base::Task> running_;
};

}  // namespace helios::net
