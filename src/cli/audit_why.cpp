// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_why.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "cli/json_answer.hpp"
#include "cli/request_finder.hpp"
#include "cli/request_report.hpp"
#include "cli/since.hpp"

#include <cstdint>
#include <ostream>
#include <string>

namespace helios::cli {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kBeforeRefusalMs = 60'000;  // no hook takes longer

// 8-4-4-4-12 hexadecimal digits.
bool is_request_id(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !std::string_view("0123456789abcdef").contains(text[i]))
      return false;
  }
  return true;
}

// How far back to look. What was refused began shortly before.
base::Result<std::int64_t> first_moment(const AuditOptions& options, const FoundDecision& decision,
                                        std::int64_t now_ms) {
  if (!options.since.empty()) return parse_since(options.since, now_ms);
  if (decision.record) {
    const auto refused = base::parse_rfc3339(text_of(*decision.record, "time"));
    if (refused) return *refused - kBeforeRefusalMs;
  }
  return now_ms - kDayMs;
}

bool is_known(const FoundRequest& found) {
  return !found.statement.intent.bytes.empty() || found.statement.outcome ||
         found.statement.settlement;
}

std::string nothing_known(const std::string& request, const FoundRequest& found,
                          const FoundDecision& decision) {
  std::string text = "nothing is known of request " + request + ": ";
  if (!found.has_trail) {
    text += "there is no trail here";
  } else {
    text += "the trail has none of its records since " + base::to_rfc3339(found.since_ms) + " (" +
            std::to_string(found.read) + " were read" +
            (found.is_oldest ? ", down to the oldest one)" : "; --since looks further back)");
  }
  return text + "; of refusals: " + decision.why_not;
}

}  // namespace

base::Result<void> explain_request(const AuditOptions& options, const AuditPorts& ports) {
  const std::string request = base::to_lower(options.request);
  if (!is_request_id(request))
    return base::fail(base::Errc::invalid, base::escape_for_log(options.request) +
                                               " is no request id: that is 36 characters such as "
                                               "5f0c1d0f-8f6b-4b2f-8f5d-8f1a5b7c9d3e");
  const auto decision = find_decision(ports.state, !options.admin.state.empty(), request);
  if (!decision) return std::unexpected(decision.error());
  const auto since_ms = first_moment(options, *decision, ports.now_ms);
  if (!since_ms) return std::unexpected(since_ms.error());
  const auto found = find_request(ports.state, options.plugin, request, *since_ms);
  if (!found) return std::unexpected(found.error());
  if (!is_known(*found) && !decision->record)
    return base::fail(base::Errc::not_found, nothing_known(request, *found, *decision));
  ports.console.out << report_of(request, *found, *decision);
  return {};
}

}  // namespace helios::cli
