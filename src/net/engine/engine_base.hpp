// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both engines do alike: timers, the mailbox, and the accounts of their streams. Private to this
// module.

#include "net/engine/engine.hpp"
#include "net/engine/mailbox.hpp"
#include "net/engine/output_queue.hpp"
#include "net/engine/timer_queue.hpp"

#include <utility>

namespace helios::net {

class EngineBase : public Engine {
 public:
  TimerId start_timer(std::int64_t delay_ms, base::Task task) final;
  void cancel_timer(TimerId id) final { timers_.cancel(id); }
  void defer(Deferred& object) final { deferred_.add(object); }
  void dispose(std::unique_ptr<Deferred> object) final { deferred_.dispose(std::move(object)); }
  void report_faults_to(base::FaultSink& faults) final { faults_ = &faults; }
  base::Executor& mailbox() final { return mailbox_; }
  std::size_t lingering() const final { return lingering_; }
  std::size_t unsent_bytes() const final { return buffer_pool_.queued_bytes(); }

  // Where the streams of this engine take buffers from.
  [[nodiscard]] BufferPool& buffer_pool() { return buffer_pool_; }

 protected:
  friend class LingerClock;

  [[nodiscard]] static std::int64_t monotonic_ns();

  // Prepares for a wait; returns how long it may be: not beyond the next timer, 0 when the mailbox is
  // not empty or something is deferred, kNoLimit when nothing limits it.
  [[nodiscard]] std::int64_t prepare_wait_ns(std::int64_t max_wait_ms);

  // After a wait that ended at `now_ns`: the timers that are due, then the mailbox.
  void run_tasks(std::int64_t now_ns);

  // The last thing that a round does for its users.
  void run_deferred() {
    if (!deferred_.empty()) {
      deferred_.run(faults_);
    }
  }

  // Calls back into whatever handler a source has.
  template <typename Call>
  void call_handler(Call&& call) {
    base::contain(faults_, base::FaultPlace::network, std::forward<Call>(call));
  }

  base::FaultSink* faults_ = nullptr;
  Mailbox mailbox_;
  TimerQueue timers_;
  DeferredQueue deferred_;
  BufferPool buffer_pool_;
  std::size_t lingering_ = 0;
};

// The time limit of one stream that lingers; see Stream::linger().
class LingerClock {
 public:
  explicit LingerClock(EngineBase& engine) : engine_(engine) {}
  ~LingerClock() { stop(); }
  LingerClock(const LingerClock&) = delete;
  LingerClock& operator=(const LingerClock&) = delete;

  [[nodiscard]] bool running() const { return running_; }

  // Runs `on_timeout` after `delay_ms`, unless stopped, or started anew, before.
  void start(std::int64_t delay_ms, base::Task on_timeout);
  void stop();

 private:
  EngineBase& engine_;
  bool running_ = false;
  TimerId timer_;
};

}  // namespace helios::net
