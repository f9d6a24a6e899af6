// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_statement.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "cli/json_answer.hpp"
#include "cli/shown.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr auto kTrail = FieldSource::trail;
constexpr auto kIntent = FieldSource::intent;
constexpr auto kOutcome = FieldSource::outcome;

constexpr auto kFields = std::to_array<StatementField>({
    {"number", "number", "bigint", kTrail, "number"},
    {"time", "time", "timestamptz", kTrail, "time"},
    {"request", "request", "text PRIMARY KEY", kIntent, "request"},
    {"session", "session", "text", kIntent, "session"},
    {"user", "user_name", "text", kIntent, "user"},
    {"database", "database_name", "text", kIntent, "database"},
    {"tenant", "tenant", "text", kIntent, "tenant"},
    {"agent", "agent", "text", kIntent, "agent"},
    {"client", "client", "text", kIntent, "client"},
    {"application", "application", "text", kIntent, "application"},
    {"fingerprint", "fingerprint", "text", kIntent, "fingerprint"},
    {"parameters", "parameters", "jsonb", kIntent, "parameters"},
    {"more_parameters", "more_parameters", "jsonb", kIntent, "more_parameters"},
    {"execute", "execute_text", "text", kIntent, "execute"},
    {"text_bytes", "text_bytes", "bigint", kIntent, "text_bytes"},
    {"text_sha256", "text_sha256", "text", kIntent, "text_sha256"},
    {"text", "statement_text", "text", kIntent, "text"},
    {"outcome", "outcome", "text", kOutcome, "outcome"},
    {"tag", "tag", "text", kOutcome, "tag"},
    {"rows", "row_count", "bigint", kOutcome, "rows"},
    {"duration_us", "duration_us", "bigint", kOutcome, "duration_us"},
    {"answer_bytes", "answer_bytes", "bigint", kOutcome, "answer_bytes"},
    {"sqlstate", "sqlstate", "text", kOutcome, "sqlstate"},
    {"error", "error", "text", kOutcome, "error"},
    {"ran_bytes", "ran_bytes", "bigint", kOutcome, "text_bytes"},
    {"ran_sha256", "ran_sha256", "text", kOutcome, "text_sha256"},
    {"ran", "ran_text", "text", kOutcome, "text"},
    {"settlement", "settlement", "text", FieldSource::settlement, "settlement"},
    {"settled", "settled", "timestamptz", kTrail, "settled"},
});

std::string storable(std::string_view bytes) {
  return base::is_valid_utf8(bytes) && !bytes.contains('\0')
             ? std::string(bytes)
             : base::escape_for_log(bytes, bytes.size());
}

// The same value with texts that can be stored. No deeper than the parser lets it be.
json::value storable(const json::value& value) {
  if (const json::string* text = value.if_string())
    return json::value(storable(std::string_view(*text)));
  if (const json::array* list = value.if_array()) {
    json::array out;
    for (const json::value& item : *list) out.emplace_back(storable(item));
    return out;
  }
  if (const json::object* object = value.if_object()) {
    json::object out;
    for (const auto& [name, item] : *object) out[storable(std::string_view(name))] = storable(item);
    return out;
  }
  return value;
}

base::Result<json::object> parsed(const std::optional<kv::StreamRecord>& record) {
  return record ? parse_object(record->bytes) : base::Result<json::object>(json::object());
}

json::value trail_field(const Statement& statement, std::string_view name) {
  if (name == "number") return json::value(statement.intent.number);
  if (name == "time") return json::value(base::to_rfc3339(statement.intent.time_ms));
  if (!statement.settlement) return nullptr;
  return json::value(base::to_rfc3339(statement.settlement->time_ms));
}

json::value field_of(const json::object& record, std::string_view name) {
  const json::value* value = record.if_contains(name);
  return value == nullptr ? json::value(nullptr) : storable(*value);
}

std::string shown_or_dash(const json::object& fields, std::string_view name) {
  const std::string_view text = view_of(fields, name);
  return text.empty() ? "-" : shown(text);
}

std::string shown_duration(std::int64_t us) {
  const std::string fraction = std::to_string(us % 1000);
  return std::to_string(us / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction + " ms";
}

}  // namespace

std::span<const StatementField> statement_fields() { return kFields; }

base::Result<json::object> to_object(const Statement& statement) {
  const auto intent = parse_object(statement.intent.bytes);
  if (!intent) return std::unexpected(intent.error());
  const auto outcome = parsed(statement.outcome);
  if (!outcome) return std::unexpected(outcome.error());
  const auto settlement = parsed(statement.settlement);
  if (!settlement) return std::unexpected(settlement.error());
  json::object out;
  out.reserve(kFields.size());
  for (const StatementField& field : kFields) {
    json::value& value = out[field.name];
    switch (field.source) {
      case FieldSource::trail: value = trail_field(statement, field.name); break;
      case FieldSource::intent: value = field_of(*intent, field.in_record); break;
      case FieldSource::outcome: value = field_of(*outcome, field.in_record); break;
      case FieldSource::settlement: value = field_of(*settlement, field.in_record); break;
    }
  }
  return out;
}

std::string outcome_of(const json::object& fields) {
  const std::string_view outcome = view_of(fields, "outcome");
  if (outcome.empty()) return "not known yet";
  std::string text = shown(outcome);
  if (const std::string_view state = view_of(fields, "sqlstate"); !state.empty())
    text += " (" + shown(state) + ")";
  if (const auto rows = number_of(fields, "rows")) text += ", " + std::to_string(*rows) + " rows";
  if (const auto us = number_of(fields, "duration_us"); us && *us >= 0)
    text += ", " + shown_duration(*us);
  return text;
}

bool has_settlement(const json::object& outcome) { return outcome.contains("settlement"); }

std::string to_line(const json::object& fields) {
  std::string line(view_of(fields, "time"));
  line += " [" + shown_or_dash(fields, "request") + "]";
  for (const std::string_view name : {"user", "database", "tenant", "agent"})
    line += " " + std::string(name) + " " + shown_or_dash(fields, name);
  const std::string_view text = view_of(fields, "text");
  line += ": " + outcome_of(fields);
  const std::string_view settlement = view_of(fields, "settlement");
  if (!settlement.empty()) {
    line += ", " + shown(settlement);
  } else if (!view_of(fields, "outcome").empty()) {
    line += ", settlement not known yet";
  }
  line += ": " + shown(text);
  const auto whole = number_of(fields, "text_bytes");
  if (whole && *whole > static_cast<std::int64_t>(text.size())) line += "...";
  return line;
}

}  // namespace helios::cli
