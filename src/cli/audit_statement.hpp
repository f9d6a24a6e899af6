// SPDX-License-Identifier: Apache-2.0
#pragma once

// A statement execution as a trail has it: the intent, the outcome and the settlement of one request
// (plugins/audit-chain/README.md), joined.

#include "base/result.hpp"
#include "kv/stream.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace helios::cli {

// The records as they stand in the trail. What is not there was not found, which may mean that it is not there yet. Where
// the outcome's record tells the settlement too (has_settlement()), that record is both.
struct Statement {
  kv::StreamRecord intent;
  std::optional<kv::StreamRecord> outcome = {};
  std::optional<kv::StreamRecord> settlement = {};

  [[nodiscard]] bool is_complete() const { return outcome && settlement; }
};

enum class FieldSource {
  trail,
  intent,
  outcome,
  settlement
};  // trail: no record says it, its place does

// One field of the joined statement.
struct StatementField {
  std::string_view name;      // in JSON
  std::string_view column;    // in SQL: no word that means something else there
  std::string_view sql_type;  // of that column
  FieldSource source = FieldSource::intent;
  std::string_view in_record;  // its name there
};

// All of them, in their order.
[[nodiscard]] std::span<const StatementField> statement_fields();

// The fields of statement_fields(), null where nobody knows. Texts that hold a zero byte, or are not UTF-8, have \xNN for
// such bytes and for all that are not ASCII: JSON and PostgreSQL have no other way to hold them. Errors: invalid (a record
// is no JSON object).
[[nodiscard]] base::Result<boost::json::object> to_object(const Statement& statement);

// Does the record of an outcome tell what became of the transaction?
[[nodiscard]] bool has_settlement(const boost::json::object& outcome);

// For people, without a line break: time, request, who, what became of it, text. `fields`: of to_object().
[[nodiscard]] std::string to_line(const boost::json::object& fields);

// "failed (22012), 0 rows, 1.204 ms", or "not known yet".
[[nodiscard]] std::string outcome_of(const boost::json::object& fields);

}  // namespace helios::cli
