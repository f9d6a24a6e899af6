// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_events.hpp"

#include "base/rfc3339.hpp"
#include "cli/audit_trail.hpp"
#include "cli/json_answer.hpp"
#include "cli/record_parser.hpp"
#include "cli/shown.hpp"
#include "cli/stream_pages.hpp"
#include "cli/trail_span.hpp"

#include <boost/json/serialize.hpp>

#include <ostream>
#include <string>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

json::value detail_of(const json::object& event) {
  const json::value* detail = event.if_contains("detail");
  return detail == nullptr ? json::value(nullptr) : *detail;
}

std::string line_of(const kv::StreamRecord& record, const json::object& event, bool is_json) {
  const std::string time = base::to_rfc3339(record.time_ms);
  if (is_json)
    return json::serialize(json::object{{"number", record.number},
                                        {"time", time},
                                        {"event", view_of(event, "event")},
                                        {"detail", detail_of(event)}});
  return time + " [" + std::to_string(record.number) + "] " + shown(view_of(event, "event")) +
         ": " + shown(json::serialize(detail_of(event)));
}

}  // namespace

base::Result<void> print_audit_events(const AuditOptions& options, const AuditPorts& ports) {
  const auto span = span_of(options, ports.now_ms);
  if (!span) return std::unexpected(span.error());
  StreamPages pages(
      {.plugin = options.plugin, .stream = std::string(kTrailStream), .since_ms = span->since_ms},
      ports.state.read_page);
  RecordParser parser;
  do {
    const auto answer = pages.next();
    if (!answer) return std::unexpected(answer.error());
    for (const kv::StreamRecord& record : answer->page.records) {
      if (span->ends_before(record)) return {};
      const auto parsed = parser.parse(record.bytes);
      if (!parsed || view_of(**parsed, "type") != "event") continue;
      if (!options.event.empty() && view_of(**parsed, "event") != options.event) continue;
      ports.console.out << line_of(record, **parsed, options.format == StatementFormat::jsonl)
                        << '\n';
    }
    if (!ports.console.out) return base::fail(base::Errc::invalid, "cannot write the output");
  } while (!pages.is_complete());
  return {};
}

}  // namespace helios::cli
