// SPDX-License-Identifier: Apache-2.0
#pragma once

// RowDescription (B) and DataRow (B), for answers that the proxy gives by itself. Text format only.
//
//   RowDescription: 'T', Int32 length, Int16 columns, { String name, Int32 table OID, Int16 attribute,
//                   Int32 type OID, Int16 type size, Int32 type modifier, Int16 format }*
//   DataRow:        'D', Int32 length, Int16 columns, { Int32 length or -1, Byte[n] }*

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::pgwire {

inline constexpr std::size_t kMaxColumns = 1664;  // MaxTupleAttributeNumber of the server

// Requires: at most kMaxColumns columns (name, type OID); no NUL in a name.
[[nodiscard]] std::string serialize_row_description(
    const std::vector<std::pair<std::string, std::uint32_t>>& columns);

// nullopt = NULL.
[[nodiscard]] std::string serialize_data_row(const std::vector<std::optional<std::string>>& values);

[[nodiscard]] std::string serialize_command_complete(std::string_view tag);

// The name of a built-in type, as SQL spells it, and its size on the server; text for an OID that is
// not in the list. For answers that are given as SQL.
struct TypeName {
  std::string_view name;
  std::int16_t size;  // -1 = variable
};
[[nodiscard]] TypeName type_name(std::uint32_t type_oid);

}  // namespace helios::pgwire
