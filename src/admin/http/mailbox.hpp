// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin thread as an executor that may outlive it. Work that is still pending when the server
// stops (a commit, a reload) holds the mailbox and posts into the void.

#include "base/executor.hpp"
#include "base/faults.hpp"

#include <functional>
#include <mutex>
#include <vector>

namespace helios::admin::http {

// Thread rule: post() and close() from any thread, run_all() from the one that owns it.
class Mailbox final : public base::Executor {
 public:
  // `wake` must lead to a call of run_all() soon. It is called from any thread, under a lock: it
  // must not call back. It is never called again once close() has returned.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void post(base::Task task) override;

  // Runs what is waiting. Tasks posted meanwhile wait for the next call. One that throws is over, `faults` is told;
  // see base::contain().
  void run_all(base::FaultSink* faults = nullptr);

  // Drops what is waiting and whatever comes later.
  void close();

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<base::Task> waiting_;
  bool closed_ = false;
};

}  // namespace helios::admin::http
