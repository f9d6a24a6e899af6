// SPDX-License-Identifier: Apache-2.0

#include "net/engine/timer_queue.hpp"

#include <utility>

namespace helios::net {

TimerId TimerQueue::add(std::int64_t deadline_ns, base::Task task) {
  const TimerId id{deadline_ns, next_sequence_++};
  tasks_.emplace(id, std::move(task));
  return id;
}

void TimerQueue::run_expired(std::int64_t now_ns, base::FaultSink* faults) {
  // Timers that a task adds come after this one, even when they are due already: a task that keeps
  // restarting itself must not hold up the loop.
  const auto end = next_sequence_;
  auto next = tasks_.begin();
  while (next != tasks_.end() && next->first.deadline_ns <= now_ns) {
    if (next->first.sequence >= end) {
      ++next;
      continue;
    }
    const auto id = next->first;
    auto task = std::move(next->second);
    tasks_.erase(next);
    base::contain(faults, base::FaultPlace::timer, task);
    next = tasks_.upper_bound(id);
  }
}

}  // namespace helios::net
