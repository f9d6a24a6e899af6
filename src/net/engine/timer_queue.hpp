// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tasks ordered by deadline. Knows no clock: it is told what time it is.

#include "base/executor.hpp"
#include "base/faults.hpp"
#include "net/engine/engine.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace helios::net {

// Thread rule: one thread.
class TimerQueue {
 public:
  TimerId add(std::int64_t deadline_ns, base::Task task);
  void cancel(TimerId id) { tasks_.erase(id); }

  // Runs, in the order of their deadlines, the tasks that were due at `now_ns` when this call began.
  // Tasks may add and cancel timers. One that throws is over, `faults` is told; see contain().
  void run_expired(std::int64_t now_ns, base::FaultSink* faults = nullptr);

  [[nodiscard]] bool empty() const { return tasks_.empty(); }
  // Requires: not empty().
  [[nodiscard]] std::int64_t next_deadline_ns() const { return tasks_.begin()->first.deadline_ns; }

 private:
  std::map<TimerId, base::Task> tasks_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace helios::net
