// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells plugins what happens beside statements: their hook `event`. Each call is one transaction, on the slow lane, within
// the plugin's time limit.
//
// Events are told one after the other, in the order of announce(), and each to its plugins one after the other; so what is
// recorded of them has the order in which they happened.
//
// A plugin that fails hears of the next event all the same. Whoever must not go on when an event could not be told asks for
// the answer: it names the first plugin with on_error = "deny" that failed.
//
// Flow: 1 announce(), as often as wanted; 2 stop(), when the threads of the slow lane and of the store have ended.
//
// Thread rule: one thread, that of `home`. Lifetime: `home` and the plugins' host outlive it.

#include "base/executor.hpp"
#include "hooks/plugin.hpp"
#include "plugins/wasm_plugin.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace helios::plugins {

// What became of an event.
struct EventOutcome {
  // Empty: every plugin was told. Otherwise who was not, and why: one line.
  std::string problem;
};

class EventAnnouncer {
 public:
  using Listeners = std::vector<std::shared_ptr<WasmPlugin>>;
  using Done = std::move_only_function<void(const EventOutcome&)>;

  explicit EventAnnouncer(base::Executor& home);
  ~EventAnnouncer();
  EventAnnouncer(const EventAnnouncer&) = delete;
  EventAnnouncer& operator=(const EventAnnouncer&) = delete;

  // Of these, those that have the hook.
  [[nodiscard]] static Listeners listeners_among(const Listeners& plugins);

  // Tells `listeners`, each of which has the hook; `done` is called once, before this returns where nobody listens and
  // nothing waits. It is destroyed without a call where stop() comes first.
  void announce(hooks::Event event, Listeners listeners, Done done = nullptr);

  // Nothing waits to be told.
  [[nodiscard]] bool is_idle() const { return waiting_.empty(); }
  // Events that are not told yet: whoever makes them of what a client does leaves them out beyond a number.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  // Forgets what still waits. Requires: nothing runs any more that could go on with it.
  void stop();

 private:
  struct Pending;

  void run();
  [[nodiscard]] bool start_call(Pending& pending);
  void end_call(Pending& pending);

  base::Executor& home_;
  std::list<std::unique_ptr<Pending>> waiting_;  // the first is being told
  bool is_running_ = false;                      // a call is under way, or run() is
};

}  // namespace helios::plugins
