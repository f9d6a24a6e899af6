// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the host functions of one attempt work on: its transaction, its time, the call that it is for,
// and, when a host function had to end the attempt, why.
//
// Thread rule and lifetime: those of the attempt.

#include "base/clock.hpp"
#include "hooks/plugin.hpp"
#include "kv/transaction.hpp"
#include "plugins/abi/attempt_effects.hpp"
#include "plugins/hmac.hpp"
#include "plugins/plugin_counters.hpp"
#include "plugins/supply/full_namespace.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

// The call that an attempt is for, as far as host functions look at it.
struct CallScope {
  const hooks::Call* call = nullptr;  // null: there is nothing to ask about, and nothing to decide
  AttemptEffects* effects = nullptr;  // with `call`
  const std::vector<std::pair<std::string, std::string>>* config = nullptr;  // likewise
  const PluginMetrics* metrics = nullptr;                                    // likewise
  // Set when a hook asks for the tenant or another helios.* setting; with `call`.
  std::atomic<bool>* looks_at_tenant = nullptr;
  bool takes_verdicts = false;  // by imports: not from ABI 1, which returns them
  std::uint64_t max_answer_bytes = 0;
  const HmacKey* hmac_key = nullptr;  // null: the proxy has none
};

class HostCalls {
 public:
  enum class Stop {
    none,
    doomed,        // what was read is no longer current: run the attempt again
    not_resident,  // a value must be fetched first, then run the attempt again
    store_failed,
    bad_pointer,  // the guest handed over a range outside its memory
    bad_verdict,  // the guest's decision cannot be carried out; letting the statement run would be worse
    guest_exit,   // the guest asked to be ended
    out_of_time,  // the deadline passed during a host call, or between two of them
    fault,        // the proxy itself failed: an exception that nobody expected
    too_early,    // the instance is being made ready, and asked for what only a call has
  };

  // Requires: both outlive this.
  HostCalls(kv::Transaction& transaction, const base::Clock& clock, const CallScope& scope = {})
      : transaction_(&transaction), clock_(&clock), scope_(scope) {}

  // Of an instance that is being made ready before there is a call. What its start function and its
  // _initialize can do is the same for whatever call will use it: a host function that reads or writes
  // anything of a call ends it with too_early.
  [[nodiscard]] static HostCalls before_the_call() { return HostCalls(); }
  [[nodiscard]] bool is_before_the_call() const { return transaction_ == nullptr; }

  // What there is to ask about; null when it is not that kind of call.
  [[nodiscard]] const CallScope& scope() const { return scope_; }
  [[nodiscard]] const hooks::StatementExecution* statement() const {
    return scope_.call == nullptr ? nullptr : scope_.call->statement;
  }
  [[nodiscard]] const hooks::AuthenticationRequest* authentication() const {
    return scope_.call == nullptr ? nullptr : scope_.call->authentication;
  }
  [[nodiscard]] const hooks::KeyWrite* write() const {
    return scope_.call == nullptr ? nullptr : scope_.call->write;
  }
  [[nodiscard]] const hooks::Event* event() const {
    return scope_.call == nullptr ? nullptr : scope_.call->event;
  }
  [[nodiscard]] bool is_at(hooks::HookPoint point) const {
    return scope_.call != nullptr && scope_.call->point == point;
  }
  // Where to note what the attempt does; null when it can do nothing.
  [[nodiscard]] AttemptEffects* effects() {
    if (scope_.effects != nullptr) scope_.effects->any = true;
    return scope_.effects;
  }

  // Requires: !is_before_the_call(), here and below.
  [[nodiscard]] kv::Transaction& transaction() { return *transaction_; }

  // The attempt's one time, in milliseconds since 1970: taken when first asked for, then the same
  // for the whole attempt. By the wall clock, as people have it.
  [[nodiscard]] std::int64_t now_ms() {
    if (!now_ms_) now_ms_ = clock_->wall_ms();
    return *now_ms_;
  }
  // The same by the clock of the store, which does not jump: for all that expires or refills.
  [[nodiscard]] std::int64_t state_now_ms() {
    if (!state_now_ms_) state_now_ms_ = transaction_->now_ms();
    return *state_now_ms_;
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
    const bool is_late = ticks_ != nullptr && ticks_->load(std::memory_order_relaxed) >= end_tick_;
    return is_late || is_cancelled();
  }
  // The caller has no use for it any more.
  [[nodiscard]] bool is_cancelled() const {
    return scope_.call != nullptr && scope_.call->is_cancelled.load(std::memory_order_relaxed);
  }

  void stop(Stop why) { stop_ = why; }
  void stop_bad_pointer(std::string_view function) {
    stop_ = Stop::bad_pointer;
    stopped_function_ = function;
  }
  void stop_bad_verdict(std::string why) {
    stop_ = Stop::bad_verdict;
    stop_text_ = std::move(why);
  }
  void stop_fault(std::string_view what) noexcept {
    stop_ = Stop::fault;
    try {
      stop_text_ = what;
    } catch (...) {
      stop_text_.clear();  // there may be no memory for it
    }
  }
  // bad_verdict: what is wrong with it, one line. fault: the exception's text.
  [[nodiscard]] const std::string& stop_text() const { return stop_text_; }
  [[nodiscard]] Stop stopped() const { return stop_; }
  // bad_pointer: the import that was called. Static storage.
  [[nodiscard]] std::string_view stopped_function() const { return stopped_function_; }

  // A write that the store's limits refused; the guest was told -1.
  void note_refused_write(const RefusedWrite& write) {
    ++refused_writes_;
    last_refused_write_ = write;
  }
  [[nodiscard]] std::uint32_t refused_writes() const { return refused_writes_; }
  [[nodiscard]] const RefusedWrite& last_refused_write() const { return last_refused_write_; }

 private:
  HostCalls() = default;

  kv::Transaction* transaction_ = nullptr;
  const base::Clock* clock_ = nullptr;
  CallScope scope_;
  std::optional<std::int64_t> now_ms_;
  std::optional<std::int64_t> state_now_ms_;
  const std::atomic<std::uint64_t>* ticks_ = nullptr;  // null: no deadline
  std::uint64_t end_tick_ = 0;
  Stop stop_ = Stop::none;
  std::string_view stopped_function_;
  std::string stop_text_;
  std::uint32_t refused_writes_ = 0;
  RefusedWrite last_refused_write_;
};

}  // namespace helios::plugins
