// SPDX-License-Identifier: Apache-2.0
#include "session/footprint.hpp"

namespace helios::session {
namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMib = 1024 * kKib;

// About what the objects of a session take, its connections included.
constexpr std::uint64_t kBaseBytes = 4 * kKib;
// A session that holds no more is never ended for what all of them hold together. Nor is one below the
// second mark, unless those above it were not enough.
constexpr std::uint64_t kLittleBytes = 64 * kKib;
constexpr std::uint64_t kMuchBytes = kMib;
// A query is there up to three times while it is judged: as it came, as a text, and as it goes on.
constexpr std::uint64_t kCopiesOfQuery = 3;

}  // namespace

std::uint64_t Footprint::held_by_all() const {
  return all_.here_bytes + (all_.elsewhere ? all_.elsewhere() : 0);
}

std::string_view Footprint::update(std::uint64_t bytes, const config::Limits& limits) {
  const std::uint64_t held = kBaseBytes + bytes;
  all_.here_bytes += held - held_;
  held_ = held;
  const std::uint64_t with_backlog = held + backlog_;
  if (with_backlog <= kLittleBytes) return {};
  if (with_backlog > limits.max_session_memory_kb * kKib) {
    return "out of memory: the session holds more than [limits] max_session_memory_kb";
  }
  const std::uint64_t limit = limits.max_total_memory_mb * kMib;
  const std::uint64_t all = held_by_all();
  if (all > limit && (with_backlog > kMuchBytes || all > limit + limit / 8)) {
    return "out of memory: all sessions together hold more than [limits] max_total_memory_mb";
  }
  return {};
}

bool Footprint::has_room_for_query(std::uint64_t bytes, const config::Limits& limits) const {
  const std::uint64_t needed = kCopiesOfQuery * bytes;
  if (needed <= kLittleBytes) return true;
  return held_ + backlog_ + needed <= limits.max_session_memory_kb * kKib &&
         held_by_all() + needed <= limits.max_total_memory_mb * kMib;
}

}  // namespace helios::session
