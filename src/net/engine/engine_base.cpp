// SPDX-License-Identifier: Apache-2.0

#include "net/engine/engine_base.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace helios::net {
namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

std::int64_t EngineBase::monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

TimerId EngineBase::start_timer(std::int64_t delay_ms, base::Task task) {
  return timers_.add(monotonic_ns() + delay_ms * kNanosecondsPerMillisecond, std::move(task));
}

std::int64_t EngineBase::prepare_wait_ns(std::int64_t max_wait_ms) {
  if (!deferred_.empty()) {
    return 0;
  }
  auto wait = max_wait_ms == kNoLimit ? kNoLimit : max_wait_ms * kNanosecondsPerMillisecond;
  if (!timers_.empty()) {
    const auto left = std::max<std::int64_t>(timers_.next_deadline_ns() - monotonic_ns(), 0);
    wait = wait == kNoLimit ? left : std::min(left, wait);
  }
  return wait != 0 && mailbox_.prepare_to_sleep() ? wait : 0;
}

void EngineBase::run_tasks(std::int64_t now_ns) {
  if (!timers_.empty()) {
    timers_.run_expired(now_ns, faults_);
  }
  mailbox_.run_all(faults_);
}

void LingerClock::start(std::int64_t delay_ms, base::Task on_timeout) {
  engine_.cancel_timer(timer_);
  timer_ = engine_.start_timer(delay_ms, std::move(on_timeout));
  if (!std::exchange(running_, true)) {
    ++engine_.lingering_;
  }
}

void LingerClock::stop() {
  engine_.cancel_timer(timer_);
  if (std::exchange(running_, false)) {
    --engine_.lingering_;
  }
}

}  // namespace helios::net
