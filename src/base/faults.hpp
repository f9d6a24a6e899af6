// SPDX-License-Identifier: Apache-2.0
#pragma once

// The last resort: an exception that nobody expected ends the piece of work that it came from, not the
// process. Errors are values here; what is thrown all the same is want of memory, or a mistake of ours. One
// place per kind of work catches it, tells the sink, and goes on with the next piece.
//
// What waits for the piece of work is not told by this: whoever may leave somebody waiting catches by itself, at
// the point where it can still answer.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace helios::base {

// Where it was caught.
enum class FaultPlace : std::uint8_t {
  slow_lane,  // a task of a slow lane's thread
  timer,      // a timer of an event loop
  mailbox,    // a task that was posted to an event loop
  network,    // what an event loop reported to a handler
  admin,      // a request to the admin interface
  plugin,     // a hook call, our side of it
  reload,     // a reload or a backup
  state,      // the threads that write and sync state
};
inline constexpr std::size_t kFaultPlaces = 8;

[[nodiscard]] constexpr std::string_view to_word(FaultPlace place) {
  switch (place) {
    case FaultPlace::slow_lane: return "slow_lane";
    case FaultPlace::timer: return "timer";
    case FaultPlace::mailbox: return "mailbox";
    case FaultPlace::network: return "network";
    case FaultPlace::admin: return "admin";
    case FaultPlace::plugin: return "plugin";
    case FaultPlace::reload: return "reload";
    case FaultPlace::state: return "state";
  }
  return "";
}

// Thread rule: any thread.
class FaultSink {
 public:
  virtual ~FaultSink() = default;
  // `what`: of the exception, not escaped.
  virtual void report(FaultPlace place, std::string_view what) noexcept = 0;
};

// Runs `work`; false when it ended by an exception, which `sink` has been told. Without a sink nothing is
// caught, so that a test which forgets it does not pass over a mistake.
template <typename Work>
bool contain(FaultSink* sink, FaultPlace place, Work&& work) {
  if (sink == nullptr) {
    std::forward<Work>(work)();
    return true;
  }
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const std::exception& error) {
    sink->report(place, error.what());
  } catch (...) {
    sink->report(place, "not a std::exception");
  }
  return false;
}

}  // namespace helios::base
