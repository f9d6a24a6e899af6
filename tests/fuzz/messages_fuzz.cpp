// SPDX-License-Identifier: Apache-2.0
//
// Every message decoder on the same bytes. What decodes encodes to the same bytes again; what an
// encoder is given comes back from an independent reading of its output.
// Input: the body of a message.

#include "base/byte_reader.hpp"
#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"
#include "pgwire/cancel_request.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"
#include "pgwire/row_messages.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace helios::fuzz {
namespace {

constexpr std::size_t kHeaderBytes = 5;

// The body of an encoded message whose frame is checked on the way.
std::string_view body_of(std::string_view message, char type) {
  require(message.size() >= kHeaderBytes && message[0] == type, "type byte");
  base::ByteReader header(message.substr(1, 4));
  require(header.read_u32() == message.size() - 1, "length word");
  return message.substr(kHeaderBytes);
}

void check_cancel_key(std::string_view body) {
  const auto key = pgwire::parse_cancel_key(body);
  if (!key) return;
  require(key->secret.size() <= pgwire::kMaxCancelSecretBytes, "secret within its limit");
  const std::string packet = pgwire::serialize_cancel_request(*key);
  base::ByteReader reader(packet);
  require(reader.read_u32() == packet.size(), "length of the packet");
  require(reader.read_u32() == 80877102, "code of the packet");
  require_equal(reader.read_bytes(reader.remaining()), body, "CancelRequest");
}

void check_tag(std::string_view body) {
  const auto tag = pgwire::parse_command_complete(body);
  if (!tag) return;
  const std::string message = pgwire::serialize_command_complete(*tag);
  require_equal(body_of(message, 'C'), body, "CommandComplete");
  const auto rows = pgwire::rows_of_tag(*tag);
  if (!rows) return;
  std::string_view digits = tag->substr(tag->rfind(' ') + 1);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  require_equal(std::to_string(*rows), digits, "rows of the tag");
}

void check_small_messages(std::string_view body) {
  if (const auto status = pgwire::parse_ready_for_query(body)) {
    require_equal(body_of(pgwire::serialize_ready_for_query(*status), 'Z'), body, "ReadyForQuery");
  }
  if (const auto parameter = pgwire::parse_parameter_status(body)) {
    const std::string again =
        std::string(parameter->name) + '\0' + std::string(parameter->value) + '\0';
    require_equal(again, body, "ParameterStatus");
  }
}

void check_error(std::string_view body) {
  const auto fields = pgwire::parse_error_response(body);
  const std::string message = pgwire::serialize_error_response(
      pgwire::Severity::fatal, fields.sqlstate, fields.message, body.size());
  const auto again = pgwire::parse_error_response(body_of(message, 'E'));
  require_equal(again.severity, "FATAL", "severity");
  require_equal(again.sqlstate, fields.sqlstate, "SQLSTATE");
  require_equal(again.message, fields.message, "message");

  // Bytes that no String can hold.
  const std::string raw = pgwire::serialize_error_response(pgwire::Severity::error, "42000", body);
  std::string without_nul(body);
  std::erase(without_nul, '\0');
  const auto read = pgwire::parse_error_response(body_of(raw, 'E'));
  require_equal(read.message, without_nul, "message without its NUL bytes");
}

void check_query(std::string_view body) {
  if (const auto text = pgwire::parse_query(body)) {
    const std::string message = pgwire::serialize_query(*text);
    require_equal(body_of(message, 'Q'), body, "Query");
  }
}

// What decodes gives the same bytes again.
void check_extended(std::string_view body) {
  if (const auto view = pgwire::parse_parse(body)) {
    require_equal(body_of(pgwire::serialize_parse(view->statement, view->text, view->types), 'P'),
                  body, "Parse");
    for (std::size_t i = 0; i < 3; ++i) std::ignore = pgwire::parameter_type(view->types, i);
  }
  if (const auto view = pgwire::parse_bind(body)) {
    const std::string again =
        pgwire::serialize_bind(view->portal, view->statement, view->values, view->formats);
    require_equal(body_of(again, 'B'), body, "Bind");
    std::vector<pgwire::BoundValue> values;
    std::ignore = pgwire::read_values(view->values, values);
  }
  if (const auto view = pgwire::parse_execute(body)) {
    require_equal(body_of(pgwire::serialize_execute(view->portal, view->max_rows), 'E'), body,
                  "Execute");
  }
  if (const auto view = pgwire::parse_target(body)) {
    const std::string again = view->is_portal ? pgwire::serialize_close_portal(view->name)
                                              : pgwire::serialize_close_statement(view->name);
    require_equal(body_of(again, 'C'), body, "Close");
  }
  std::ignore = pgwire::parse_function_call(body);
}

// Lines become columns and values.
void check_rows(std::string_view body) {
  std::vector<std::pair<std::string, std::uint32_t>> columns;
  std::vector<std::optional<std::string>> values;
  for (Input input(body); !input.empty() && columns.size() < pgwire::kMaxColumns;) {
    const std::uint32_t oid = std::uint32_t{input.take_byte()} * 16;
    std::string line(input.take_line());
    values.push_back(oid == 0 ? std::nullopt : std::optional(line));
    std::erase(line, '\0');
    columns.emplace_back(std::move(line), oid);
  }
  const std::string description = pgwire::serialize_row_description(columns);
  base::ByteReader reader(body_of(description, 'T'));
  require(static_cast<std::size_t>(reader.read_i16()) == columns.size(), "number of columns");
  for (const auto& [name, oid] : columns) {
    require_equal(reader.read_cstring(), name, "name of a column");
    reader.read_bytes(6);
    require(reader.read_u32() == oid, "type of a column");
    require(reader.read_i16() == pgwire::type_name(oid).size, "size of a type");
    reader.read_bytes(6);
  }
  require(reader.finished(), "RowDescription");

  const std::string row = pgwire::serialize_data_row(values);
  base::ByteReader fields(body_of(row, 'D'));
  require(static_cast<std::size_t>(fields.read_i16()) == values.size(), "number of values");
  for (const auto& value : values) {
    const std::int32_t length = fields.read_i32();
    require(length == (value ? static_cast<std::int32_t>(value->size()) : -1), "length of a value");
    if (value) require_equal(fields.read_bytes(value->size()), *value, "value");
  }
  require(fields.finished(), "DataRow");
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  const std::string_view body = text_of(data, size);
  check_cancel_key(body);
  check_tag(body);
  check_small_messages(body);
  check_error(body);
  check_query(body);
  check_extended(body);
  check_rows(body);
  return 0;
}
