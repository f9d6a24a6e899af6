// SPDX-License-Identifier: Apache-2.0
#pragma once

// Advances the engine's epoch every kTickMs, so that deadlines pass. Rests while no guest runs: a
// proxy without traffic makes no wake-ups.

#include <wasm.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace helios::plugins::detail {

class EpochTicker {
 public:
  // Rests after `longest_deadline_ticks` without note_use(): by then every guest has ended.
  // Requires: `engine` outlives this.
  EpochTicker(wasm_engine_t& engine, std::uint32_t longest_deadline_ticks);
  EpochTicker(const EpochTicker&) = delete;
  EpochTicker& operator=(const EpochTicker&) = delete;
  ~EpochTicker();

  // A guest is about to run, with a deadline from now. Thread rule: any thread. Cheap: while guests
  // keep coming it only reads.
  void note_use();

  // How often the epoch has moved so far. Whoever reads n and gives the engine a deadline of d ticks
  // finds that deadline passed, at the latest one tick late, when this has reached n + d. Thread rule:
  // any thread.
  [[nodiscard]] const std::atomic<std::uint64_t>& ticks() const { return ticks_; }

 private:
  void run();
  void rest(std::unique_lock<std::mutex>& lock);

  wasm_engine_t& engine_;
  const std::uint32_t rest_after_ticks_;
  std::atomic<std::uint64_t> ticks_ = 0;
  std::atomic<bool> used_ = false;  // since the last tick
  std::atomic<bool> resting_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: it uses everything above
};

}  // namespace helios::plugins::detail
