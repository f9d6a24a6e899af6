// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_counters.hpp"

#include "plugins/supply/thread_shard.hpp"

#include <algorithm>

namespace helios::plugins {

namespace {

constexpr std::int64_t kLogEveryNs = 1'000'000'000;

// Is a line due that was last logged at `logged_at_ns`? If so, it is now.
bool is_due(std::int64_t& logged_at_ns, std::int64_t now_ns) {
  if (logged_at_ns != INT64_MIN && now_ns - logged_at_ns < kLogEveryNs) return false;
  logged_at_ns = now_ns;
  return true;
}

}  // namespace

void PluginCounters::add(PluginEvent event, std::uint64_t count) {
  shards_[thread_shard()].counts[static_cast<std::size_t>(event)].fetch_add(
      count, std::memory_order_relaxed);
}

std::uint64_t PluginCounters::read(PluginEvent event) const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_)
    sum += shard.counts[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
  return sum;
}

void PluginCounters::note_retried_call(std::uint32_t retries) {
  const std::size_t bucket = std::min<std::size_t>(retries, kRetryBuckets) - 1;
  shards_[thread_shard()].retried[bucket].fetch_add(1, std::memory_order_relaxed);
}

CallsByRetries PluginCounters::retried_calls() const {
  CallsByRetries sums{};
  for (const Shard& shard : shards_)
    for (std::size_t i = 0; i < kRetryBuckets; ++i)
      sums[i] += shard.retried[i].load(std::memory_order_relaxed);
  return sums;
}

bool PluginCounters::note_failure(std::string_view text, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  last_failure_ = text;
  return is_due(logged_at_ns_, now_ns);
}

bool PluginCounters::note_backoff(std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  return is_due(logged_backoff_at_ns_, now_ns);
}

bool PluginCounters::note_log_line(std::int64_t now_ns) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  const std::lock_guard lock(mutex_);
  if (now_ns / kSecondNs != log_second_) {
    log_second_ = now_ns / kSecondNs;
    log_lines_ = 0;
  }
  return log_lines_++ < kMaxLogLinesPerSecond;
}

bool PluginMetrics::knows_or_has_room_for(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return values_.size() < kMaxNames || values_.contains(name);
}

void PluginMetrics::add(std::string_view name, std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(name);
  if (found != values_.end())
    found->second += amount;
  else if (values_.size() < kMaxNames)
    values_.emplace(name, amount);
}

std::vector<std::pair<std::string, std::uint64_t>> PluginMetrics::read() const {
  const std::lock_guard lock(mutex_);
  return {values_.begin(), values_.end()};
}

std::string PluginCounters::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

}  // namespace helios::plugins
