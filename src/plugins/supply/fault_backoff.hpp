// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which callers a plugin is not run for at present, because its last calls for them all faulted.
//
//   a caller's calls:  fault, fault, ... faults_in_row of them
//     --> backing off for first_ms: nobody runs the plugin for this caller
//     --> one trial: works  --> forgotten
//                    faults --> backing off again, twice as long, at most longest_ms
//
// Per caller, a user with a tenant, so that whoever knows how to make a plugin fault backs it off for
// himself only. It saves the proxy work and is never needed for correctness: for a caller who does not
// fit in the table the plugin simply runs.
//
// Thread rule: any thread. While no caller has faults, every call only reads one atomic.

#include "base/clock.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace helios::plugins {

struct BackoffOptions {
  std::uint32_t faults_in_row = 10;  // 0: never back off
  std::uint32_t first_ms = 1000;
  std::uint32_t longest_ms = 60'000;
};

class FaultBackoff {
 public:
  // Callers that are remembered at once.
  static constexpr std::size_t kMaxCallers = 1024;
  static constexpr std::size_t kMaxCallerBytes = 1024;
  // A caller without a fault for so long, counted from the end of its back-off, may be forgotten.
  static constexpr std::int64_t kForgetNs = 60'000'000'000;

  explicit FaultBackoff(const BackoffOptions& options) : options_(options) {}

  // False: nobody has faults, so check() and note_success() have nothing to do.
  [[nodiscard]] bool is_in_use() const { return known_.load(std::memory_order_relaxed) != 0; }

  // Why the plugin is not to be run for `caller` now; nullopt: run it, and tell how it went.
  [[nodiscard]] std::optional<std::string> check(std::string_view caller, const base::Clock& clock);

  // Returns for how many milliseconds the plugin is backed off from now; 0: it is not.
  std::uint32_t note_fault(std::string_view caller, std::string_view failure, std::int64_t now_ns);
  void note_success(std::string_view caller);

  // For people.
  struct Status {
    std::size_t callers = 0;           // for which the plugin is backed off
    std::int64_t longest_left_ms = 0;  // until the last of them is tried again
  };
  [[nodiscard]] Status status(std::int64_t now_ns) const;

 private:
  struct Record {
    std::uint32_t faults = 0;     // in a row
    bool on_trial = false;        // somebody may be running it to see
    std::uint32_t period_ms = 0;  // 0: not backed off yet
    std::int64_t until_ns = 0;    // of the back-off; before the first, of the last fault
    std::string failure;
  };

  Record* find_or_make(std::string_view caller, std::int64_t now_ns);

  const BackoffOptions options_;
  std::atomic<std::size_t> known_ = 0;  // size of records_
  mutable std::mutex mutex_;            // guards what follows
  std::map<std::string, Record, std::less<>> records_;
};

}  // namespace helios::plugins
