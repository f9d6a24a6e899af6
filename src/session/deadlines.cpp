// SPDX-License-Identifier: Apache-2.0
#include "session/deadlines.hpp"

#include "session/login_guard.hpp"

#include <utility>

namespace helios::session {
namespace {

std::uint32_t limit_ms(Deadlines::Waiting waiting, const config::Limits& limits) {
  using enum Deadlines::Waiting;
  switch (waiting) {
    case nothing: return 0;
    case dropped: return 1;
    case farewell: return LoginGuard::kFarewellMs;
    case login: return limits.login_timeout_ms;
    case answer: return limits.query_timeout_ms;
    case in_transaction: return limits.idle_in_transaction_timeout_ms;
    case idle: return limits.idle_timeout_ms;
  }
  return 0;
}

}  // namespace

void Deadlines::update(Waiting waiting, std::uint64_t ended, const config::Limits& limits,
                       const base::Clock& clock) {
  has_progress_ |= ended != std::exchange(ended_, ended);
  const bool is_due_anew = waiting == Waiting::answer ? has_progress_ : has_message_;
  has_message_ = has_progress_ = false;
  if (waiting == waiting_ && !is_due_anew) return;
  waiting_ = waiting;
  const std::uint32_t limit = limit_ms(waiting, limits);
  deadline_ns_.reset();
  if (limit > 0) deadline_ns_ = clock.monotonic_ns() + std::int64_t{limit} * 1'000'000;
}

std::optional<Deadlines::Waiting> Deadlines::take_due(const base::Clock& clock) {
  if (!deadline_ns_ || clock.monotonic_ns() < *deadline_ns_) return std::nullopt;
  deadline_ns_.reset();
  return waiting_;
}

bool Deadlines::is_to_ask(std::uint64_t ended) {
  if (asked_at_ == ended) return false;
  asked_at_ = ended;
  has_progress_ = true;
  return true;
}

}  // namespace helios::session
