// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether one server can be reached, as the connections tell that sessions make anyway: nobody dials to find out. So an
// idle proxy does not know, and what is known is as old as the last attempt. A change is one line in the log; how often
// an attempt fails is a counter (WorkerStats).
//
// Thread rule: any thread. note_up() takes no lock while the server is up.

#include "base/log.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace helios::net {

class ServerHealth {
 public:
  enum class State { unknown, up, down };
  struct Reading {
    State state = State::unknown;      // of the last attempt that ended; unknown: there was none
    std::int64_t last_attempt_ns = 0;  // when it ended, on the monotonic clock
    std::string reason;                // down: one line, e.g. "Connection refused"
  };

  // `server`: its address, as people are shown it.
  explicit ServerHealth(std::string server) : server_(std::move(server)) {}

  [[nodiscard]] const std::string& server() const { return server_; }

  // A connection is there; none could be made. `now_ns`: of the monotonic clock.
  void note_up(std::int64_t now_ns, base::Log& log);
  void note_down(const std::string& reason, std::int64_t now_ns, base::Log& log);

  [[nodiscard]] Reading read() const;

 private:
  const std::string server_;
  std::atomic<State> state_{State::unknown};
  std::atomic<std::int64_t> last_attempt_ns_{0};
  mutable std::mutex mutex_;  // changes of the state, and what follows
  std::string reason_;
  std::int64_t line_due_ns_ = 0;  // no line about a server that goes up and down before
  std::int64_t down_since_ns_ = 0;
  bool is_down_logged_ = false;
};

}  // namespace helios::net
