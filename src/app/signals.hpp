// SPDX-License-Identifier: Apache-2.0
#pragma once

// SIGTERM, SIGINT and SIGHUP as calls instead of interruptions: a thread of its own waits for them.
// They are blocked everywhere else, so this has to exist before any other thread. The signals that a
// trapping plugin raises (SIGSEGV and the like) stay as they are. SIGPIPE and SIGXFSZ (a file
// that may not grow: the write fails) are ignored from then on.

#include <atomic>
#include <functional>
#include <thread>

namespace helios::app {

class SignalWatcher {
 public:
  // Blocks the signals in the calling thread, and so in those that it starts later.
  SignalWatcher();
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  // `on_signal` is called with the signal's number, on the watcher's thread. What arrived since
  // construction is reported now. Requires: called at most once.
  void start(std::function<void(int)> on_signal);

  // Nothing is reported from then on. Harmless when called again.
  void stop();

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace helios::app
