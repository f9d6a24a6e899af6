// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a plugin has done so far, in numbers. They belong to the plugin's namespace, not to one loaded
// version: a reload does not start them again.
//
// Thread rule: any thread. Counting touches a cache line that few threads share.

#include "plugins/supply/full_namespace.hpp"
#include "plugins/supply/thread_shard.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

enum class PluginEvent : std::uint8_t {
  call,           // one hook call, however often it had to be tried
  failure,        // a call that failed: trap, timeout, bad answer, store failure
  refusal,        // a pre_query that answered block
  retry,          // an attempt that was run again, because what it had read changed
  overrun,        // an attempt that outlived its slice on the event loop
  exclusive,      // a call that had to have the namespace to itself
  refused_write,  // a kv_set that the store's limits refused
  backed_off,     // a call that was not made, because the caller's last ones had all faulted
  write_allowed,  // a check_write that let the write pass
  write_refused,  // one that answered block
  write_failed,   // one that failed: the write was refused
  write_forced,   // a write that the plugin was not asked about, because somebody said so
};
inline constexpr std::size_t kPluginEvents = 12;

// Calls by how often they had to be run again: those with 1, 2, 3 and more retries.
inline constexpr std::size_t kRetryBuckets = 4;
using CallsByRetries = std::array<std::uint64_t, kRetryBuckets>;

// Counters that the plugin itself has named.
class PluginMetrics {
 public:
  static constexpr std::size_t kMaxNames = 64;

  // Whether add() would count under this name.
  [[nodiscard]] bool knows_or_has_room_for(std::string_view name) const;
  void add(std::string_view name, std::uint64_t amount);
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> read() const;

 private:
  mutable std::mutex mutex_;  // guards values_
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

class PluginCounters {
 public:
  void add(PluginEvent event, std::uint64_t count = 1);
  [[nodiscard]] std::uint64_t read(PluginEvent event) const;

  // A call is over that was run again `retries` times, at least once.
  void note_retried_call(std::uint32_t retries);
  [[nodiscard]] CallsByRetries retried_calls() const;

  // Keeps the text of the newest failure. Returns true when it should be logged as well: the first
  // in a second of `now_ns`.
  bool note_failure(std::string_view text, std::int64_t now_ns);
  [[nodiscard]] std::string last_failure() const;

  // Returns true when a line of the plugin's own may be logged: kMaxLogLinesPerSecond in a second.
  static constexpr std::uint32_t kMaxLogLinesPerSecond = 100;
  bool note_log_line(std::int64_t now_ns);

  [[nodiscard]] PluginMetrics& metrics() { return metrics_; }
  [[nodiscard]] const PluginMetrics& metrics() const { return metrics_; }

  [[nodiscard]] FullNamespace& full() { return full_; }
  [[nodiscard]] const FullNamespace& full() const { return full_; }

  // Returns true when the beginning of a back-off should be logged: the first in a second.
  bool note_backoff(std::int64_t now_ns);

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, kPluginEvents> counts{};
    std::array<std::atomic<std::uint64_t>, kRetryBuckets> retried{};
  };

  std::array<Shard, kThreadShards> shards_;
  PluginMetrics metrics_;
  FullNamespace full_;
  mutable std::mutex mutex_;  // guards what follows
  std::string last_failure_;
  std::int64_t logged_at_ns_ = INT64_MIN;
  std::int64_t logged_backoff_at_ns_ = INT64_MIN;
  std::int64_t log_second_ = INT64_MIN;  // in which log_lines_ were written
  std::uint32_t log_lines_ = 0;
};

}  // namespace helios::plugins
