// SPDX-License-Identifier: Apache-2.0
#pragma once

// An anchor: the last record of a stream at some moment, by number and digest (kv/stream.hpp). Kept where those who may
// write the state directory cannot reach it, it shows later whether the stream was made anew or cut off. No I/O.

#include "base/result.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::anchors {

// "audit-chain/trail": whose stream, and which.
struct StreamId {
  std::string space;  // the namespace
  std::string stream;

  bool operator==(const StreamId&) const = default;
};

// The name of a plugin becomes that of its namespace. Errors: invalid; the message says what it must be.
[[nodiscard]] base::Result<StreamId> parse_stream_id(std::string_view text);
[[nodiscard]] std::string to_string(const StreamId& id);

struct Anchor {
  std::int64_t time_ms = 0;  // since 1970-01-01 UTC: when it was made, by the wall clock
  StreamId stream;
  kv::RecordNumber number = 0;
  std::string sha256;  // its digest, 64 hexadecimal digits in lower case
};

// "2026-10-03T12:00:00.000Z audit-chain/trail 10:8d0c40...": without a line break.
[[nodiscard]] std::string to_line(const Anchor& anchor);

// The same as a JSON object: {"time":"...","stream":"audit-chain/trail","number":10,"sha256":"8d0c40..."}.
[[nodiscard]] std::string to_json(const Anchor& anchor);

// What to_line() wrote. Errors: invalid.
[[nodiscard]] base::Result<Anchor> parse_line(std::string_view line);

}  // namespace helios::anchors
