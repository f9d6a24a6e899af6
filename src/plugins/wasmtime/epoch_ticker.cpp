// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/epoch_ticker.hpp"

#include "plugins/wasm.hpp"

#include <wasmtime.h>

#include <chrono>

#include <pthread.h>

namespace helios::plugins::detail {

namespace {

// A use may be counted one tick early, and the tick of its deadline must still come.
constexpr std::uint32_t kMarginTicks = 2;

}  // namespace

EpochTicker::EpochTicker(wasm_engine_t& engine, std::uint32_t longest_deadline_ticks)
    : engine_(engine), rest_after_ticks_(longest_deadline_ticks + kMarginTicks), thread_([this] {
        pthread_setname_np(pthread_self(), "wasm-epoch");
        run();
      }) {}

EpochTicker::~EpochTicker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void EpochTicker::note_use() {
  if (used_.load(std::memory_order_relaxed)) return;
  // Store, then look: rest() looks in the opposite order, so one of the two sees the other.
  used_.store(true);
  if (!resting_.load()) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void EpochTicker::run() {
  std::uint32_t idle_ticks = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, std::chrono::milliseconds(kTickMs), [this] { return stopping_; });
    wasmtime_engine_increment_epoch(&engine_);
    ticks_.fetch_add(1, std::memory_order_relaxed);
    idle_ticks = used_.exchange(false) ? 0 : idle_ticks + 1;
    if (idle_ticks > rest_after_ticks_) {
      rest(lock);
      idle_ticks = 0;
    }
  }
}

// Waits for the next use.
void EpochTicker::rest(std::unique_lock<std::mutex>& lock) {
  resting_.store(true);
  wake_.wait(lock, [this] { return stopping_ || used_.load(); });
  resting_.store(false);
}

}  // namespace helios::plugins::detail
