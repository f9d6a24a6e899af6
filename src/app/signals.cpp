// SPDX-License-Identifier: Apache-2.0

#include "app/signals.hpp"

#include <utility>

#include <pthread.h>
#include <signal.h>

namespace helios::app {
namespace {

// Wakes the watcher's own thread; without effect when it comes from outside.
constexpr int kStopSignal = SIGUSR1;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kStopSignal}) {
    sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

SignalWatcher::SignalWatcher() {
  const auto set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

SignalWatcher::~SignalWatcher() { stop(); }

void SignalWatcher::stop() {
  if (thread_.joinable()) {
    stop_ = true;
    pthread_kill(thread_.native_handle(), kStopSignal);
    thread_.join();
  }
}

void SignalWatcher::start(std::function<void(int)> on_signal) {
  thread_ = std::thread([this, on_signal = std::move(on_signal)] {
    const auto set = watched_signals();
    int signal = 0;
    while (sigwait(&set, &signal) == 0 && !stop_) {
      if (signal != kStopSignal) {
        on_signal(signal);
      }
    }
  });
}

}  // namespace helios::app
