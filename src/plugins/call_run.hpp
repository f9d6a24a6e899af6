// SPDX-License-Identifier: Apache-2.0
#pragma once

// One hook call from its first attempt to its result.
//
//   start() --> inline attempts, on the caller's thread (its slice: inline_ticks)
//                 returned, committed      --> done
//                 failed                   --> done
//                 doomed, commit conflict  --> again on a clean instance; kMaxConflicts: exclusive
//                 commit pending           --> wait for the store --> home
//                 value not resident       --> wait for the store --> home
//                 overran, no free slot    --> slow lane
//   home      --> as start(), after the store has answered
//   exclusive --> wait for the store --> slow lane, as the only writer of the namespace
//   slow lane --> attempts as above, each with the plugin's full timeout
//                 overran                  --> done: "timeout after N ms"
//
// No thread waits at any arrow; whoever makes the next step owns the run meanwhile. What a step needs
// to go on is decided by where it runs: on home, the result is handed over directly (start) or by
// on_done; on the slow lane, by a task posted to home.
//
// On home's thread an attempt takes an instance that is ready, where there is one; afterwards the
// stock is filled up by a task posted to home, which thus runs when the call is through. An instance that
// is to be reused goes back to the stock once its attempt has committed, and is ended otherwise.
//
// Lifetime: kept alive by whoever will make the next step. Touches neither the call nor the plugin
// after it has handed over the result.

#include "hooks/plugin.hpp"
#include "kv/store.hpp"
#include "kv/transaction.hpp"
#include "plugins/attempt.hpp"
#include "plugins/supply/instance_stock.hpp"
#include "plugins/wasm_plugin.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::plugins {

// Ticks after which a deadline of `timeout_ms` has passed in any case.
[[nodiscard]] constexpr std::uint32_t deadline_ticks(std::uint32_t timeout_ms) {
  return (timeout_ms + kTickMs - 1) / kTickMs + 1;
}

class CallRun : public std::enable_shared_from_this<CallRun> {
 public:
  explicit CallRun(WasmPlugin& plugin) : plugin_(plugin) {}

  // Requires: the calling thread is call.home's; plugin and call outlive the run's last step. After
  // `done` it can be started again, for another call: it keeps its buffers.
  hooks::RunStatus start(hooks::Call& call);

  // Between two calls: it keeps itself, so that whoever finds it needs only the pointer. Returns it.
  static CallRun* rest(std::shared_ptr<CallRun> run) {
    CallRun& resting = *run;
    resting.self_ = std::move(run);
    return &resting;
  }
  // Requires: it rests.
  std::shared_ptr<CallRun> wake() { return std::move(self_); }

 private:
  enum class Lane { event_loop, slow };
  // What a step has come to.
  enum class Next {
    finished,  // call_.result is valid
    again,     // run another attempt, here
    waiting,   // somebody else makes the next step; touch nothing any more
  };

  // Runs a step of the call. What it throws is reported, and the call fails: whoever waits for it is answered.
  // Requires: a step that may throw has not handed the run over yet.
  template <typename Step>
  Next run(Step&& step);

  Next run_attempts(Lane lane);
  Next attempt(Lane lane);
  AttemptEnd run_guest(Lane lane, LiveInstance& live);
  Next after_attempt(Lane lane, AttemptEnd&& end);
  Next commit();
  Next after_commit(kv::CommitStatus status);
  Next after_conflict();
  Next after_overrun(Lane lane);
  Next fetch();
  Next go_exclusive();
  Next go_slow();
  void note_retries();
  void note_refused_writes(const HostCalls& calls);
  Next fail(std::string why);
  Next fail_by_guest(std::string why);
  Next fail_by_fault(std::string_view what);
  Next fail_by_store(std::string_view if_healthy);
  Next fail_cancelled();

  void run_on_slow_lane();
  void resume_at_home();
  void hand_over(Next next);
  void apply_effects();
  void note_duration(Lane lane, std::int64_t began_ns);

  std::shared_ptr<CallRun> self_;  // while it rests
  WasmPlugin& plugin_;
  hooks::Call* call_ = nullptr;
  std::string json_;
  std::unique_ptr<kv::Exclusivity> exclusivity_;  // before transaction_, which refers to it
  std::optional<kv::Transaction> transaction_;
  // Of the attempt on the event loop. Of a plugin that reuses instances it stays for the next attempt once
  // its own has committed.
  LiveInstance live_;
  std::string refusal_;     // of the last write that a limit refused in this attempt
  AttemptEffects effects_;  // of the attempt that is being committed
  std::uint32_t conflicts_ = 0;
  std::uint32_t fetches_ = 0;
};

}  // namespace helios::plugins
