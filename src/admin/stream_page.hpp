// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams of a namespace as JSON: a list of them, and a page of the records of one. Times are RFC 3339, digests
// hexadecimal digits; docs/admin-api.md has the fields.

#include "admin/message.hpp"
#include "base/result.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

inline constexpr std::uint64_t kDefaultRecordLimit = 100;
inline constexpr std::uint64_t kMaxRecordLimit = 10'000;
inline constexpr std::uint64_t kDefaultPageBytes = 1ULL << 20;
inline constexpr std::uint64_t kMaxPageBytes = 16ULL << 20;

inline constexpr std::string_view kLinesType = "application/x-ndjson";

// Which records, from the query of the target: from, since, limit, max_bytes. Errors: invalid.
[[nodiscard]] base::Result<kv::StreamRange> parse_stream_range(std::string_view query);

// {"plugin":..,"streams":[{"stream":..,"first":..,"next":..,"bytes":..,"last_time":..}]}
[[nodiscard]] Response stream_list_reply(std::string_view plugin,
                                         const std::vector<kv::StreamInfo>& streams);

// {"plugin":..,"stream":..,"first":..,"next":..,"bytes":..,"last_time":..,"before":..,"records":[..],"next_from":..}; a record is
// {"number":..,"time":..,"digest":..,"value":..}, with "value_base64" where its bytes are not UTF-8.
// "before" is there when there are records.
[[nodiscard]] Response stream_page_reply(std::string_view plugin, std::string_view stream,
                                         const kv::StreamRange& range, const kv::StreamPage& page);

// A record as a JSON object, without a line break.
[[nodiscard]] std::string record_line(const kv::StreamRecord& record);

// The records alone, one such object a line.
[[nodiscard]] Response stream_lines_reply(const kv::StreamPage& page);

}  // namespace helios::admin
