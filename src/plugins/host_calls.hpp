// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the host functions of one attempt work on: its transaction, its time, and, when a host
// function had to end the attempt, why.
//
// Thread rule and lifetime: those of the attempt.

#include "base/clock.hpp"
#include "kv/transaction.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::plugins {

class HostCalls {
 public:
  enum class Stop {
    none,
    doomed,        // what was read is no longer current: run the attempt again
    not_resident,  // a value must be fetched first, then run the attempt again
    store_failed,
    bad_pointer,  // the guest handed over a range outside its memory
    out_of_time,  // the deadline passed during a host call, or between two of them
    too_early,    // the instance is being made ready, and asked for what only a call has
  };

  // Requires: both outlive this.
  HostCalls(kv::Transaction& transaction, const base::Clock& clock)
      : transaction_(&transaction), clock_(&clock) {}

  // Of an instance that is being made ready before there is a call. What its start function and its
  // _initialize can do is the same for whatever call will use it: a host function that reads or writes
  // anything of a call ends it with too_early.
  [[nodiscard]] static HostCalls before_the_call() { return HostCalls(); }
  [[nodiscard]] bool is_before_the_call() const { return transaction_ == nullptr; }

  // Requires: !is_before_the_call(), here and below.
  [[nodiscard]] kv::Transaction& transaction() { return *transaction_; }

  // The attempt's one time, in milliseconds since 1970: taken when first asked for, then the same
  // for the whole attempt.
  [[nodiscard]] std::int64_t now_ms() {
    if (!now_ms_) now_ms_ = clock_->wall_ms();
    return *now_ms_;
  }

  // The attempt ends when `ticks` has moved on by `count` from now. Requires: it outlives this.
  void set_deadline(const std::atomic<std::uint64_t>& ticks, std::uint32_t count) {
    ticks_ = &ticks;
    end_tick_ = ticks.load(std::memory_order_relaxed) + count;
  }
  // The engine stops guest code when the deadline has passed, but not host functions, and guest code
  // without a loop can call them a million times before the engine looks again. So every host call
  // asks, and one that may take long asks in between.
  [[nodiscard]] bool is_out_of_time() const {
    return ticks_ != nullptr && ticks_->load(std::memory_order_relaxed) >= end_tick_;
  }

  void stop(Stop why) { stop_ = why; }
  void stop_bad_pointer(std::string_view function) {
    stop_ = Stop::bad_pointer;
    stopped_function_ = function;
  }
  [[nodiscard]] Stop stopped() const { return stop_; }
  // bad_pointer: the import that was called. Static storage.
  [[nodiscard]] std::string_view stopped_function() const { return stopped_function_; }

  // A write that the store's limits refused; the guest was told -1.
  void note_refused_write() { ++refused_writes_; }
  [[nodiscard]] std::uint32_t refused_writes() const { return refused_writes_; }

 private:
  HostCalls() = default;

  kv::Transaction* transaction_ = nullptr;
  const base::Clock* clock_ = nullptr;
  std::optional<std::int64_t> now_ms_;
  const std::atomic<std::uint64_t>* ticks_ = nullptr;  // null: no deadline
  std::uint64_t end_tick_ = 0;
  Stop stop_ = Stop::none;
  std::string_view stopped_function_;
  std::uint32_t refused_writes_ = 0;
};

}  // namespace helios::plugins
