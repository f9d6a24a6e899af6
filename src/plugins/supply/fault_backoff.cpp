// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/fault_backoff.hpp"

#include <algorithm>

namespace helios::plugins {

namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

std::optional<std::string> FaultBackoff::check(std::string_view caller, const base::Clock& clock) {
  const std::int64_t now_ns = clock.monotonic_ns();
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(caller);
  if (found == records_.end() || found->second.period_ms == 0) return std::nullopt;
  Record& record = found->second;
  if (now_ns < record.until_ns)
    return "backing off after " + std::to_string(record.faults) +
           " faults in a row, the last: " + record.failure;
  // This call is the trial; the others wait for what it shows, or for the next one.
  record.on_trial = true;
  record.until_ns = now_ns + record.period_ms * kNsPerMs;
  return std::nullopt;
}

std::uint32_t FaultBackoff::note_fault(std::string_view caller, std::string_view failure,
                                       std::int64_t now_ns) {
  if (options_.faults_in_row == 0 || caller.size() > kMaxCallerBytes) return 0;
  const std::lock_guard lock(mutex_);
  Record* const record = find_or_make(caller, now_ns);
  if (record == nullptr) return 0;
  ++record->faults;
  record->failure = failure;
  if (record->faults < options_.faults_in_row) {
    record->until_ns = now_ns;
    return 0;
  }
  // A call that was under way when the back-off began says nothing new.
  if (record->period_ms != 0 && !record->on_trial) return 0;
  const std::uint64_t longer =
      record->period_ms == 0 ? options_.first_ms : std::uint64_t{record->period_ms} * 2;
  record->period_ms = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(longer, std::max(options_.first_ms, options_.longest_ms)));
  record->on_trial = false;
  record->until_ns = now_ns + record->period_ms * kNsPerMs;
  return record->period_ms;
}

void FaultBackoff::note_success(std::string_view caller) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(caller);
  if (found == records_.end()) return;
  records_.erase(found);
  known_.store(records_.size(), std::memory_order_relaxed);
}

FaultBackoff::Status FaultBackoff::status(std::int64_t now_ns) const {
  Status status;
  const std::lock_guard lock(mutex_);
  for (const auto& [caller, record] : records_) {
    if (record.period_ms == 0 || record.until_ns <= now_ns) continue;
    ++status.callers;
    status.longest_left_ms =
        std::max(status.longest_left_ms, (record.until_ns - now_ns + kNsPerMs - 1) / kNsPerMs);
  }
  return status;
}

// nullptr: no room.
FaultBackoff::Record* FaultBackoff::find_or_make(std::string_view caller, std::int64_t now_ns) {
  if (const auto found = records_.find(caller); found != records_.end()) return &found->second;
  if (records_.size() >= kMaxCallers)
    std::erase_if(records_,
                  [&](const auto& one) { return now_ns - one.second.until_ns >= kForgetNs; });
  Record* const made = records_.size() >= kMaxCallers ? nullptr : &records_[std::string(caller)];
  known_.store(records_.size(), std::memory_order_relaxed);
  return made;
}

}  // namespace helios::plugins
