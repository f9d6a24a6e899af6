// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one session holds, as part of what all of them hold, and when that is too much. The limits are met by whoever holds
// much: a session that holds little goes on, whatever the others do.
//
// Thread rule: the session's; what other workers hold is asked for only by sessions that hold much. Lifetime: `all`
// outlives it.

#include "config/config.hpp"
#include "session/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace helios::session {

class Footprint {
 public:
  explicit Footprint(MemoryUse& all) : all_(all) {}
  ~Footprint() { all_.here_bytes -= held_; }
  Footprint(const Footprint&) = delete;
  Footprint& operator=(const Footprint&) = delete;

  // Bytes that the kernel has not taken yet, in both directions.
  void set_backlog(std::size_t bytes) { backlog_ = bytes; }
  // The session holds so much now, beside what every session takes. Empty, or why that is too much.
  [[nodiscard]] std::string_view update(std::uint64_t bytes, const config::Limits& limits);
  // Would a query of so many bytes have room?
  [[nodiscard]] bool has_room_for_query(std::uint64_t bytes, const config::Limits& limits) const;

 private:
  [[nodiscard]] std::uint64_t held_by_all() const;

  MemoryUse& all_;
  std::uint64_t held_ = 0;  // this session's part of it
  std::uint64_t backlog_ = 0;
};

}  // namespace helios::session
