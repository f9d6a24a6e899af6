// SPDX-License-Identifier: Apache-2.0

#include "net/server_health.hpp"

namespace helios::net {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
// A server whose queue of connections is full can change with every attempt.
constexpr std::int64_t kLineIntervalNs = kSecondNs;

}  // namespace

void ServerHealth::note_up(std::int64_t now_ns, base::Log& log) {
  last_attempt_ns_.store(now_ns, std::memory_order_relaxed);
  if (state_.load(std::memory_order_relaxed) == State::up) return;
  const std::lock_guard lock(mutex_);
  state_.store(State::up, std::memory_order_relaxed);
  if (!std::exchange(is_down_logged_, false)) return;
  const auto seconds = (now_ns - down_since_ns_) / kSecondNs;
  log.write(base::LogLevel::info, "the server at " + server_ + " can be reached again, after " +
                                      std::to_string(seconds) + " s");
}

void ServerHealth::note_down(const std::string& reason, std::int64_t now_ns, base::Log& log) {
  const std::lock_guard lock(mutex_);
  last_attempt_ns_.store(now_ns, std::memory_order_relaxed);
  if (state_.exchange(State::down, std::memory_order_relaxed) != State::down)
    down_since_ns_ = now_ns;
  reason_ = reason;
  if (is_down_logged_ || now_ns < line_due_ns_) return;
  is_down_logged_ = true;
  line_due_ns_ = now_ns + kLineIntervalNs;
  log.write(base::LogLevel::warning, "cannot connect to the server at " + server_ + ": " + reason);
}

ServerHealth::Reading ServerHealth::read() const {
  const std::lock_guard lock(mutex_);
  Reading reading{.state = state_.load(std::memory_order_relaxed),
                  .last_attempt_ns = last_attempt_ns_.load(std::memory_order_relaxed),
                  .reason = {}};
  if (reading.state == State::down) reading.reason = reason_;
  return reading;
}

}  // namespace helios::net
