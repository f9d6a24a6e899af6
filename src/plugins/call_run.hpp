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
// A check_write, or an event, begins on the slow lane, whatever the plugin's other calls do.
//
// No thread waits at any arrow; whoever makes the next step owns the run meanwhile. What a step needs
// to go on is decided by where it runs: on home, the result is handed over directly (start) or by
// on_done; on the slow lane, by a task posted to home.
//
// On home's thread an attempt takes an instance that is ready, where there is one; afterwards the
// stock is filled up by a task posted to home, which thus runs when the call is through. An instance that
// is to be reused goes back to the stock once its attempt has committed, and is ended otherwise.
//
// Lifetime: its owners are counted: whoever will make the next step is one, and so is who started it, until start() has
// returned. Touches neither the call nor the supply after it has handed over the result.

#include "hooks/plugin.hpp"
#include "kv/store.hpp"
#include "kv/transaction.hpp"
#include "plugins/attempt.hpp"
#include "plugins/supply/instance_stock.hpp"
#include "plugins/supply/supply.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::plugins {

class CallRun : public boost::intrusive_ref_counter<CallRun> {
 public:
  explicit CallRun(Supply& supply) : supply_(supply), version_(supply.version()) {}

  // Requires: the calling thread is call.home's; supply and call outlive the run's last step. After
  // `done` it can be started again, for another call: it keeps its buffers.
  hooks::RunStatus start(hooks::Call& call);

 private:
  enum class Lane { event_loop, slow };
  // What a step has come to.
  enum class Next {
    finished,  // call_.result is valid
    again,     // run another attempt, here
    waiting,   // somebody else makes the next step; touch nothing any more
  };

  // One more owner: for who makes the next step.
  [[nodiscard]] boost::intrusive_ptr<CallRun> self() { return this; }

  // Runs a step of the call. What it throws is reported, and the call fails: whoever waits for it is answered.
  // Requires: a step that may throw has not handed the run over yet.
  template <typename Step>
  Next run(Step&& step);

  [[nodiscard]] bool is_of_no_client() const;
  [[nodiscard]] bool begins_slow() const;
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
  void end_instance();
  void note_retries();
  void note_refused_writes(const HostCalls& calls);
  void note_full();
  Next fail(std::string why);
  Next fail_by_guest(const std::string& why, const std::string& place = {});
  Next fail_by_fault(std::string_view what);
  Next fail_by_store(std::string_view if_healthy);
  Next fail_cancelled();

  void run_on_slow_lane();
  void resume_at_home();
  void hand_over(Next next);
  void apply_effects();
  void write_log_lines(std::string_view mark);
  void note_duration(Lane lane, std::int64_t began_ns);

  Supply& supply_;
  const PluginVersion& version_;  // the supply's
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
