// SPDX-License-Identifier: Apache-2.0
#pragma once

// A block: an operator wants everybody of one name out, and says why. What is blocked is a user, a database, a tenant
// or an agent.
//
// Names are the bytes by which the proxy knows somebody: user and database of the startup packet, and the values of
// helios.tenant_id and helios.agent_id. Nothing is folded, trimmed or converted.

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::blocks {

enum class Kind : std::uint8_t { user, database, tenant, agent };
inline constexpr std::array kKinds = {Kind::user, Kind::database, Kind::tenant, Kind::agent};

inline constexpr std::size_t kMaxNameBytes = 256;
inline constexpr std::size_t kMaxReasonBytes = 500;
// Ten years: who means longer says nothing, which is for ever.
inline constexpr std::int64_t kMaxForMs = 10LL * 365 * 86'400 * 1000;
inline constexpr std::int64_t kNeverOver = 0;

// "user", "database", "tenant", "agent"; static storage.
[[nodiscard]] std::string_view to_word(Kind kind);
[[nodiscard]] std::optional<Kind> parse_kind(std::string_view word);

struct Block {
  Kind kind = Kind::user;
  std::string name;
  std::string reason;                       // for the client's eyes
  std::int64_t since_ms = 0;                // since 1970-01-01 UTC
  std::int64_t expires_at_ms = kNeverOver;  // likewise; kNeverOver: until somebody unblocks
  bool is_kept = false;                     // on disk: it outlives the process

  [[nodiscard]] bool is_over(std::int64_t now_ms) const {
    return expires_at_ms != kNeverOver && expires_at_ms <= now_ms;
  }
  bool operator==(const Block&) const = default;
};

// Whether this may be a block. Errors: invalid (no name, a NUL in it; no reason, one that is not UTF-8 or has control
// characters; a name or a reason that is too long). The message is for the operator.
[[nodiscard]] base::Result<void> check(const Block& block);

// What a client is told: 'agent "bot" is blocked: runs wild. Ask the administrator of this proxy.'
[[nodiscard]] std::string explanation(const Block& block);

}  // namespace helios::blocks
