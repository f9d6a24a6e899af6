// SPDX-License-Identifier: Apache-2.0
#include "cli/trail_span.hpp"

#include "cli/since.hpp"

#include <string>
#include <string_view>

namespace helios::cli {
namespace {

base::Result<std::optional<std::int64_t>> moment(std::string_view option, const std::string& text,
                                                 std::int64_t now_ms) {
  if (text.empty()) return std::nullopt;
  const auto ms = parse_moment(option, text, now_ms);
  if (!ms) return std::unexpected(ms.error());
  return *ms;
}

}  // namespace

base::Result<TrailSpan> span_of(const AuditOptions& options, std::int64_t now_ms) {
  const auto since = moment("--since", options.since, now_ms);
  if (!since) return std::unexpected(since.error());
  const auto until = moment("--until", options.until, now_ms);
  if (!until) return std::unexpected(until.error());
  if (*since && *until && **until <= **since)
    return base::fail(base::Errc::invalid, "--until must be later than --since");
  return TrailSpan{*since, *until};
}

}  // namespace helios::cli
