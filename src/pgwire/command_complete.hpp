// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small backend messages.
//   CommandComplete: 'C', Int32 length, String tag
//   ReadyForQuery:   'Z', Int32 5, Byte1 status
//   ParameterStatus: 'S', Int32 length, String name, String value

#include "pgwire/message_types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::pgwire {

// The tag, a view into `body`; nullopt when malformed.
[[nodiscard]] std::optional<std::string_view> parse_command_complete(std::string_view body);

// The row count at the end of a tag ("INSERT 0 5" -> 5, "SELECT 2" -> 2); nullopt when it has none.
[[nodiscard]] std::optional<std::uint64_t> rows_of_tag(std::string_view tag);

// nullopt when the body is not one of the three status bytes.
[[nodiscard]] std::optional<TransactionStatus> parse_ready_for_query(std::string_view body);
[[nodiscard]] std::string serialize_ready_for_query(TransactionStatus status);

struct ParameterStatusView {
  std::string_view name;
  std::string_view value;
};
[[nodiscard]] std::optional<ParameterStatusView> parse_parameter_status(std::string_view body);

}  // namespace helios::pgwire
