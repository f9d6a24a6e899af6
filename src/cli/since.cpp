// SPDX-License-Identifier: Apache-2.0
#include "cli/since.hpp"

#include "base/rfc3339.hpp"

#include <charconv>

namespace helios::cli {
namespace {

// Milliseconds of one of these; 0: it is no unit.
std::int64_t unit_ms(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return 0;
}

}  // namespace

base::Result<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::uint32_t kMaxUnits = 1'000'000'000;
  std::uint32_t units = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), units);
  const std::int64_t unit = unit_ms({end, text.data() + text.size()});
  if (error == std::errc() && unit != 0 && units <= kMaxUnits) return units * unit;
  return base::fail(base::Errc::invalid, "expected a length such as 10m (ms, s, m, h, d)");
}

base::Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_ms) {
  return parse_moment("--since", text, now_ms);
}

base::Result<std::int64_t> parse_moment(std::string_view option, std::string_view text,
                                        std::int64_t now_ms) {
  const auto before = parse_duration(text);
  if (before && *before <= now_ms) return now_ms - *before;
  const auto time = base::parse_rfc3339(text);
  if (time) return time;
  return base::fail(base::Errc::invalid,
                    std::string(option) +
                        ": expected a length such as 10m (ms, s, m, h, d), or a time such as "
                        "2026-10-03T12:00:00Z");
}

}  // namespace helios::cli
