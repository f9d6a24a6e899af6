// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/abi1_answer.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace helios::plugins {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 8;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Errc::invalid, "cached rows: " + std::move(message));
}

const json::array* array_in(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  return value == nullptr ? nullptr : value->if_array();
}

base::Result<hooks::Answer::Column> column_of(const json::value& value) {
  const json::object* const object = value.if_object();
  const json::value* const name = object == nullptr ? nullptr : object->if_contains("name");
  if (name == nullptr || !name->is_string()) return invalid("a column without a name");
  hooks::Answer::Column column{.name = std::string(name->get_string())};
  if (const json::value* const oid = object->if_contains("oid")) {
    const std::int64_t* const number = oid->if_int64();
    if (number == nullptr || *number < 1 || *number > std::numeric_limits<std::uint32_t>::max())
      return invalid("an \"oid\" that is not one");
    column.type_oid = static_cast<std::uint32_t>(*number);
  }
  return column;
}

base::Result<std::vector<std::optional<std::string>>> row_of(const json::value& value) {
  const json::array* const fields = value.if_array();
  if (fields == nullptr) return invalid("a row that is not a list");
  std::vector<std::optional<std::string>> row;
  for (const json::value& field : *fields) {
    if (field.is_null()) {
      row.emplace_back();
    } else if (field.is_string()) {
      row.emplace_back(std::string(field.get_string()));
    } else {
      return invalid("a value that is neither text nor null");
    }
  }
  return row;
}

}  // namespace

base::Result<hooks::Answer> abi1_answer(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  const json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return invalid("not a JSON object");
  const json::array* const columns = array_in(value.get_object(), "columns");
  const json::array* const rows = array_in(value.get_object(), "rows");
  if (columns == nullptr || rows == nullptr) return invalid("no lists \"columns\" and \"rows\"");
  hooks::Answer answer;
  for (const json::value& each : *columns) {
    auto column = column_of(each);
    if (!column) return std::unexpected(column.error());
    answer.columns.push_back(std::move(*column));
  }
  for (const json::value& each : *rows) {
    auto row = row_of(each);
    if (!row) return std::unexpected(row.error());
    answer.rows.push_back(std::move(*row));
  }
  return answer;
}

}  // namespace helios::plugins
