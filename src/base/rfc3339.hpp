// SPDX-License-Identifier: Apache-2.0
#pragma once

// Moments as text (RFC 3339), for people and for JSON. Moments are milliseconds since 1970-01-01 UTC.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::base {

// "2026-10-03T12:00:00.123Z": UTC, always with milliseconds. Requires: a year from 0 to 9999.
[[nodiscard]] std::string to_rfc3339(std::int64_t ms);

// "2026-10-03T12:00:00Z", with or without a fraction of a second, which is cut to milliseconds, and with "Z" or
// an offset such as "+02:00". Errors: invalid.
[[nodiscard]] Result<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace helios::base
