// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_copy.hpp"

#include "cli/audit_statement.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kTable = "helios_audit";
constexpr std::string_view kNewRows = "helios_audit_new";

std::string columns() {
  std::string names;
  for (const StatementField& field : statement_fields()) {
    if (!names.empty()) names += ", ";
    names += field.column;
  }
  return names;
}

// What a later export may know and an earlier one does not.
std::string later_fields() {
  std::string changes;
  for (const StatementField& field : statement_fields()) {
    if (field.source == FieldSource::intent || field.name == "number" || field.name == "time")
      continue;
    const std::string column(field.column);
    if (!changes.empty()) changes += ",\n  ";
    changes += column;
    changes += " = coalesce(EXCLUDED." + column + ", old." + column + ")";
  }
  return changes;
}

std::string value_of(const json::value& value) {
  if (value.is_null()) return "\\N";
  if (const json::string* text = value.if_string()) return copy_escaped(*text);
  return copy_escaped(json::serialize(value));
}

}  // namespace

std::string copy_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  return out;
}

std::string copy_begin() {
  std::string table;
  for (const StatementField& field : statement_fields()) {
    table += table.empty() ? "  " : ",\n  ";
    table += field.column;
    table += ' ';
    table += field.sql_type;
  }
  const std::string name(kTable);
  const std::string rows(kNewRows);
  return "\\set ON_ERROR_STOP on\nBEGIN;\nSET LOCAL client_encoding = 'UTF8';\n" +
         ("CREATE TABLE IF NOT EXISTS " + name + " (\n" + table + "\n);\n") +
         ("CREATE TEMPORARY TABLE " + rows + " (LIKE " + name + ") ON COMMIT DROP;\n") +
         ("COPY " + rows + " (" + columns() + ") FROM STDIN;\n");
}

std::string copy_row(const json::object& fields) {
  std::string row;
  for (const StatementField& field : statement_fields()) {
    if (!row.empty()) row += '\t';
    row += value_of(fields.at(field.name));
  }
  return row + '\n';
}

std::string copy_end() {
  return "\\.\nINSERT INTO " + std::string(kTable) + " AS old (" + columns() +
         ")\nSELECT DISTINCT ON (request) " + columns() + " FROM " + std::string(kNewRows) +
         " ORDER BY request, number\nON CONFLICT (request) DO UPDATE SET\n  " + later_fields() +
         ";\nCOMMIT;\n";
}

}  // namespace helios::cli
