// SPDX-License-Identifier: Apache-2.0
#include "pgwire/row_messages.hpp"

#include "base/byte_writer.hpp"
#include "pgwire/message_types.hpp"

#include <algorithm>
#include <array>

namespace helios::pgwire {
namespace {

struct Type {
  std::uint32_t oid;
  TypeName type;
};

// pg_type.dat of the server.
constexpr std::array<Type, 20> kTypes = {{
    {16, {"boolean", 1}},     {17, {"bytea", -1}},
    {20, {"bigint", 8}},      {21, {"smallint", 2}},
    {23, {"integer", 4}},     {25, {"text", -1}},
    {26, {"oid", 4}},         {114, {"json", -1}},
    {700, {"real", 4}},       {701, {"double precision", 8}},
    {1042, {"bpchar", -1}},   {1043, {"varchar", -1}},
    {1082, {"date", 4}},      {1083, {"time", 8}},
    {1114, {"timestamp", 8}}, {1184, {"timestamptz", 8}},
    {1186, {"interval", 16}}, {1700, {"numeric", -1}},
    {2950, {"uuid", 16}},     {3802, {"jsonb", -1}},
}};

std::string with_length(std::string message) {
  base::store_i32(message.data() + 1, static_cast<std::int32_t>(message.size() - 1));
  return message;
}

std::string begin_message(char type, std::size_t fields) {
  std::string out(5, type);
  base::append_i16(out, static_cast<std::int16_t>(fields));
  return out;
}

}  // namespace

TypeName type_name(std::uint32_t type_oid) {
  const auto found = std::ranges::find(kTypes, type_oid, &Type::oid);
  return found == kTypes.end() ? TypeName{"text", -1} : found->type;
}

std::string serialize_row_description(
    const std::vector<std::pair<std::string, std::uint32_t>>& columns) {
  std::string out = begin_message(backend::kRowDescription, columns.size());
  for (const auto& [name, oid] : columns) {
    base::append_cstring(out, name);
    base::append_i32(out, 0);
    base::append_i16(out, 0);
    base::append_i32(out, static_cast<std::int32_t>(oid));
    base::append_i16(out, type_name(oid).size);
    base::append_i32(out, -1);
    base::append_i16(out, 0);
  }
  return with_length(std::move(out));
}

std::string serialize_data_row(const std::vector<std::optional<std::string>>& values) {
  std::string out = begin_message(backend::kDataRow, values.size());
  for (const auto& value : values) {
    base::append_i32(out, value ? static_cast<std::int32_t>(value->size()) : -1);
    if (value) out += *value;
  }
  return with_length(std::move(out));
}

std::string serialize_command_complete(std::string_view tag) {
  std::string out(5, backend::kCommandComplete);
  base::append_cstring(out, tag);
  return with_length(std::move(out));
}

}  // namespace helios::pgwire
