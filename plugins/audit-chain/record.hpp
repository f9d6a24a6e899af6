// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one record of the chain is, as pure functions. README.md describes the format. What was written
// never changes: `heliosproxy audit verify` hashes the bytes as they stand.

#include "helios/plugin.hpp"

#include <stdint.h>

namespace helios::audit_chain {

// The end of the chain so far: the newest record's number and SHA-256, in hex. A chain without records
// has number 0 and 64 zeros.
struct Head {
  int64_t seq = 0;
  plugin::String hash;
};

// No record is larger, whatever the client sends.
inline constexpr size_t kMaxRecordBytes = 60'000;
// Text, EXECUTE's own text and parameters together: they are hashed, so they have to fit into the memory of
// the plugin.
inline constexpr int64_t kMaxReadBytes = 8 << 20;

[[nodiscard]] Head empty_chain();

// Nothing when `json` is no head.
[[nodiscard]] plugin::Optional<Head> parse_head(plugin::StringView json);
[[nodiscard]] plugin::String format_head(const Head& head);

// "rec:" and the number as 16 hex digits, so that the order of keys is the order of records.
[[nodiscard]] plugin::String record_key(int64_t seq);

// The record that comes after `head`: one JSON object, fields in their order, no blanks.
[[nodiscard]] plugin::String format_record(const Head& head, int64_t now_ms,
                                           const plugin::QueryContext& context,
                                           const plugin::Outcome& outcome);

}  // namespace helios::audit_chain
