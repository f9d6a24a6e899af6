// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/lane_policy.hpp"

#include <algorithm>

namespace helios::plugins {

LanePolicy::Lane LanePolicy::choose(const base::Clock& clock) {
  if (!is_slow()) return Lane::event_loop;
  const std::lock_guard lock(mutex_);
  if (quick_in_row_ < trial_after_) return Lane::slow;
  if (clock.monotonic_ns() - last_overrun_ns_ < kRefillNs) return Lane::slow;
  quick_in_row_ = 0;
  trying_ = true;
  return Lane::event_loop;
}

void LanePolicy::note_overrun(std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  refill(now_ns);
  last_overrun_ns_ = now_ns;
  if (allowance_ > 0) --allowance_;
  if (allowance_ == 0 || is_slow()) become_slow();
}

void LanePolicy::refill(std::int64_t now_ns) {
  if (!overran_before_) refilled_at_ns_ = last_overrun_ns_ = now_ns;
  overran_before_ = true;
  if (now_ns - last_overrun_ns_ >= kForgiveNs) {
    trial_after_ = kFirstTrialAfter;
    was_slow_ = false;
  }
  const std::int64_t periods = (now_ns - refilled_at_ns_) / kRefillNs;
  refilled_at_ns_ += periods * kRefillNs;
  allowance_ = static_cast<std::uint32_t>(
      std::min<std::int64_t>(kAllowance, std::int64_t{allowance_} + periods));
}

void LanePolicy::become_slow() {
  quick_in_row_ = 0;
  // A call that was already under way when the plugin became slow says nothing new.
  if (is_slow() && !trying_) return;
  if (was_slow_) trial_after_ = std::min(trial_after_ * 2, kLastTrialAfter);
  was_slow_ = true;
  trying_ = false;
  slow_.store(true, std::memory_order_relaxed);
}

void LanePolicy::note_quick_inline() {
  if (!is_slow()) return;
  const std::lock_guard lock(mutex_);
  if (!trying_) return;
  trying_ = false;
  slow_.store(false, std::memory_order_relaxed);
}

void LanePolicy::note_slow_lane(bool quick) {
  if (!is_slow()) return;
  const std::lock_guard lock(mutex_);
  quick_in_row_ = quick ? quick_in_row_ + 1 : 0;
}

}  // namespace helios::plugins
