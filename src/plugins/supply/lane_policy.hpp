// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a plugin's calls begin: on the event loop, as all do at first, or straight on the slow lane.
//
//   inline --overrun, and none of its allowance is left--> slow
//   slow   --kFirstTrialAfter quick calls in a row there, kRefillNs after the last overrun-->
//            one call is tried on the event loop:
//              quick    --> inline
//              overran  --> slow
//   each return to slow doubles the number of quick calls before the next trial
//
// An overrun costs the event loop a slice, during which its other sessions wait. The allowance is in
// overruns per time, not per call, so it bounds what a plugin can take from a worker however many
// harmless calls surround the slow ones: kAllowance at once, then about one in kRefillNs.
//
// Thread rule: any thread. While nothing overruns, every call only reads one
// atomic.

#include "base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace helios::plugins {

class LanePolicy {
 public:
  static constexpr std::uint32_t kAllowance = 3;
  static constexpr std::int64_t kRefillNs = 1'000'000'000;
  static constexpr std::uint32_t kFirstTrialAfter = 16;
  static constexpr std::uint32_t kLastTrialAfter = 4096;
  // Without an overrun for so long, trials begin anew at kFirstTrialAfter.
  static constexpr std::int64_t kForgiveNs = 60'000'000'000;

  enum class Lane { event_loop, slow };

  // For a call that begins, or goes on, on the event loop. May start a trial. `clock` is read only
  // when the plugin is slow.
  [[nodiscard]] Lane choose(const base::Clock& clock);

  // How an attempt on the event loop ended.
  void note_overrun(std::int64_t now_ns);
  void note_quick_inline();

  // How an attempt on the slow lane ended. `quick`: the event loop would have had the time for it.
  void note_slow_lane(bool quick);

  [[nodiscard]] bool is_slow() const { return slow_.load(std::memory_order_relaxed); }

 private:
  void become_slow();
  void refill(std::int64_t now_ns);

  std::atomic<bool> slow_ = false;
  std::mutex mutex_;  // guards what follows
  bool trying_ = false;
  bool was_slow_ = false;  // since it was last forgiven
  std::uint32_t quick_in_row_ = 0;
  std::uint32_t trial_after_ = kFirstTrialAfter;
  std::uint32_t allowance_ = kAllowance;
  bool overran_before_ = false;
  std::int64_t refilled_at_ns_ = 0;   // of no meaning unless overran_before_
  std::int64_t last_overrun_ns_ = 0;  // likewise
};

}  // namespace helios::plugins
