// SPDX-License-Identifier: Apache-2.0
#include "session/answer_rows.hpp"

#include "pgwire/row_messages.hpp"
#include "sql/quote.hpp"

#include <algorithm>

namespace helios::session {
namespace {

constexpr std::uint64_t kFieldOverheadBytes = 16;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

std::string typed_value(const std::optional<std::string>& value, std::uint32_t type_oid) {
  std::string out = value ? sql::quote_literal(*value) : "NULL";
  return out.append("::").append(pgwire::type_name(type_oid).name);
}

void append_row(std::string& out, const hooks::Answer& answer,
                const std::vector<std::optional<std::string>>& row) {
  out += out.empty() ? "(VALUES (" : ", (";
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ", ";
    out += typed_value(row[i], answer.columns[i].type_oid);
  }
  out += ")";
}

}  // namespace

std::string_view problem_of(const hooks::Answer& answer, std::uint64_t max_bytes) {
  if (answer.columns.empty()) return "it has no columns";
  if (answer.columns.size() > pgwire::kMaxColumns) return "it has more than 1664 columns";
  std::uint64_t bytes = 0;
  for (const auto& column : answer.columns) {
    if (column.name.empty() || has_nul(column.name)) return "a column has no proper name";
    bytes += column.name.size() + kFieldOverheadBytes;
  }
  for (const auto& row : answer.rows) {
    if (row.size() != answer.columns.size()) return "a row has another width than the columns";
    for (const auto& value : row) {
      if (value && has_nul(*value)) return "a value contains a NUL byte";
      bytes += (value ? value->size() : 0) + kFieldOverheadBytes;
    }
    if (bytes > max_bytes) return "it is too large";
  }
  return {};
}

std::string answer_messages(const hooks::Answer& answer) {
  std::vector<std::pair<std::string, std::uint32_t>> columns;
  for (const auto& column : answer.columns) columns.emplace_back(column.name, column.type_oid);
  std::string out = pgwire::serialize_row_description(columns);
  for (const auto& row : answer.rows) out += pgwire::serialize_data_row(row);
  return out + pgwire::serialize_command_complete("SELECT " + std::to_string(answer.rows.size()));
}

std::string answer_statement(const hooks::Answer& answer) {
  std::string values;
  for (const auto& row : answer.rows) append_row(values, answer, row);
  const bool is_empty = values.empty();
  if (is_empty) {
    append_row(values, answer, std::vector<std::optional<std::string>>(answer.columns.size()));
  }
  std::string names;
  for (const auto& column : answer.columns) {
    names += (names.empty() ? "" : ", ") + quote_identifier(column.name);
  }
  return "SELECT * FROM " + values + ") AS helios_answer(" + names + ")" +
         (is_empty ? " WHERE false" : "");
}

}  // namespace helios::session
