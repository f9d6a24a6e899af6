// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// What a session holds, and what happens when that is too much. The limits are met by whoever holds
// much: a session that holds little goes on, whatever the others do.

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

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
// Messages forwarded and not yet answered. A client that sends more waits for answers first.
constexpr std::size_t kMaxOutstandingReplies = 16384;

}  // namespace

std::uint64_t Session::Impl::held_bytes() const {
  return kBaseBytes + client_input_.held_bytes() + client_reader_.held_bytes() +
         link_.held_bytes() + gate_.held_bytes() + in_flight_.held_bytes() + names_.held_bytes() +
         held_message_.capacity() + settings_.held_bytes() + settlements_.held_bytes() +
         startup_packet_.size() + held_ready_.size();
}

std::uint64_t Session::Impl::held_by_all() const {
  const MemoryUse& use = environment_.memory;
  return use.here_bytes + (use.elsewhere ? use.elsewhere() : 0);
}

std::string_view Session::Impl::memory_complaint(std::uint64_t held) const {
  const config::Limits& limits = environment_.config->limits;
  if (held > limits.max_session_memory_kb * kKib) {
    return "out of memory: the session holds more than [limits] max_session_memory_kb";
  }
  const std::uint64_t limit = limits.max_total_memory_mb * kMib;
  const std::uint64_t all = held_by_all();
  if (all > limit && (held > kMuchBytes || all > limit + limit / 8)) {
    return "out of memory: all sessions together hold more than [limits] max_total_memory_mb";
  }
  return {};
}

// False = the session was ended for what it holds.
bool Session::Impl::account_memory() {
  const std::uint64_t held = held_bytes();
  environment_.memory.here_bytes += held - accounted_bytes_;
  accounted_bytes_ = held;
  const std::uint64_t with_backlog = held + backlog_bytes_;
  if (with_backlog <= kLittleBytes || state_ == State::closing || state_ == State::closed) {
    return true;
  }
  const std::string_view complaint = memory_complaint(with_backlog);
  if (complaint.empty()) return true;
  ++environment_.counters->out_of_memory;
  fail(sqlstate::kOutOfMemory, complaint);
  return false;
}

bool Session::Impl::has_room_for_query(std::uint64_t bytes) const {
  const std::uint64_t needed = kCopiesOfQuery * bytes;
  if (needed <= kLittleBytes) return true;
  const config::Limits& limits = environment_.config->limits;
  return accounted_bytes_ + backlog_bytes_ + needed <= limits.max_session_memory_kb * kKib &&
         held_by_all() + needed <= limits.max_total_memory_mb * kMib;
}

// The server may be waiting for COPY data, so that no answer would come.
bool Session::Impl::has_room_for_replies() const {
  if (link_.is_reading_copy()) return true;
  return link_.owed().size() < kMaxOutstandingReplies &&
         link_.owed().held_bytes() + in_flight_.held_bytes() <=
             environment_.config->limits.max_session_memory_kb * kKib / 4;
}

}  // namespace helios::session
