// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packets that may open a connection. They have no type byte:
//
//   Int32 length, Int32 code, ...
//   SSLRequest 80877103, GSSENCRequest 80877104, CancelRequest 80877102,
//   StartupMessage: code = protocol version (major << 16 | minor), then name/value String pairs and
//   a zero byte.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::pgwire {

inline constexpr std::int32_t kCancelRequestCode = 80877102;
inline constexpr std::int32_t kSslRequestCode = 80877103;
inline constexpr std::int32_t kGssEncRequestCode = 80877104;
inline constexpr std::int32_t kProtocolMajor = 3;
// MAX_STARTUP_PACKET_LENGTH, which does not count the length word.
inline constexpr std::uint32_t kMaxStartupPacketBytes = 10000 + 4;

// The whole SSLRequest.
[[nodiscard]] std::string ssl_request();

struct StartupMessage {
  // In the order of the packet; PostgreSQL lets the last of equal names win.
  std::vector<std::pair<std::string, std::string>> parameters;

  // The last value of that name (case-sensitive, as PostgreSQL reads user, database, options).
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
};

// Decodes the pairs after length and version. Errors: invalid, worded as PostgreSQL does.
[[nodiscard]] base::Result<StartupMessage> parse_startup_message(std::string_view body);

// The settings that a startup packet makes, as (name in lower case, value), effective ones only:
// `options` (-c name=value, -cname=value, --name=value; '-' in names reads as '_'; backslash escapes
// white space; the last of equal names wins; of several options keys only the last counts) and
// direct keys, which beat options. Names are limited to those that begin with `prefix`.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> startup_settings(
    const StartupMessage& message, std::string_view prefix);

}  // namespace helios::pgwire
