// SPDX-License-Identifier: Apache-2.0
#include "pgwire/error_response.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/message_types.hpp"

#include <algorithm>

namespace helios::pgwire {
namespace {

void append_field(std::string& out, char type, std::string_view value) {
  out.push_back(type);
  std::ranges::copy_if(value, std::back_inserter(out), [](char c) { return c != '\0'; });
  out.push_back('\0');
}

}  // namespace

ErrorFieldsView parse_error_response(std::string_view body) {
  ErrorFieldsView fields;
  base::ByteReader reader(body);
  std::string_view localised_severity;
  while (reader.ok()) {
    const auto type = static_cast<char>(reader.read_u8());
    if (type == '\0') break;
    const std::string_view value = reader.read_cstring();
    switch (type) {
      case 'S': localised_severity = value; break;
      case 'V': fields.severity = value; break;
      case 'C': fields.sqlstate = value; break;
      case 'M': fields.message = value; break;
      default: break;
    }
  }
  if (fields.severity.empty()) fields.severity = localised_severity;
  return fields;
}

std::string serialize_error_response(Severity severity, std::string_view sqlstate,
                                     std::string_view message, std::size_t position,
                                     const ErrorNotes& notes) {
  const std::string_view word = severity == Severity::fatal ? "FATAL" : "ERROR";
  std::string out(5, backend::kErrorResponse);
  append_field(out, 'S', word);
  append_field(out, 'V', word);
  append_field(out, 'C', sqlstate);
  append_field(out, 'M', message);
  if (!notes.detail.empty()) append_field(out, 'D', notes.detail);
  if (!notes.hint.empty()) append_field(out, 'H', notes.hint);
  if (position > 0) append_field(out, 'P', std::to_string(position));
  out.push_back('\0');
  base::store_i32(out.data() + 1, static_cast<std::int32_t>(out.size() - 1));
  return out;
}

}  // namespace helios::pgwire
