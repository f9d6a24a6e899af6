// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages of the extended query protocol (PostgreSQL manual, "Message Formats"), frontend side:
//
//   Parse    'P', Int32 length, String statement, String text, Int16 n, Int32[n] parameter types
//   Bind     'B', Int32 length, String portal, String statement, Int16 n, Int16[n] parameter formats,
//            Int16 n, { Int32 length | -1, Byte[length] }[n] values, Int16 n, Int16[n] result formats
//   Execute  'E', Int32 length, String portal, Int32 rows (0 = all)
//   Close, Describe  'C' | 'D', Int32 length, Byte1 'S' statement | 'P' portal, String name
//   Flush    'H', Int32 4
//   FunctionCall  'F', Int32 length, Int32 function, ... (as the values of Bind)
//
// Decoders return views into the body they were given, and nullopt for a body that is not exactly that
// message. Names are at most what the message is: the server knows no limit of its own.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::pgwire {

struct ParseView {
  std::string_view statement;
  std::string_view text;
  std::string_view types;  // Int16 n, Int32[n], as in the message
};
[[nodiscard]] std::optional<ParseView> parse_parse(std::string_view body);
// The declared type of parameter `index` (from 0), 0 where `types` does not say.
[[nodiscard]] std::uint32_t parameter_type(std::string_view types, std::size_t index);

struct BindView {
  std::string_view portal;
  std::string_view statement;
  std::string_view values;   // parameter formats and values, as in the message
  std::string_view formats;  // result formats, as in the message
};
[[nodiscard]] std::optional<BindView> parse_bind(std::string_view body);

struct BoundValue {
  bool is_binary = false;
  std::optional<std::string_view> value;  // nullopt = NULL
};
// Of a Bind that cannot be read: what is wrong with it, in the server's words.
[[nodiscard]] std::string_view fault_of_bind(std::string_view body);

// The parameters in `values` of a BindView, one by one into `out`. False: a format that does not exist,
// or as many formats as cannot be meant.
[[nodiscard]] bool read_values(std::string_view values, std::vector<BoundValue>& out);

struct ExecuteView {
  std::string_view portal;
  std::int32_t max_rows = 0;  // <= 0: all
};
[[nodiscard]] std::optional<ExecuteView> parse_execute(std::string_view body);

struct TargetView {
  bool is_portal = false;
  std::string_view name;
};
// Of Close and Describe.
[[nodiscard]] std::optional<TargetView> parse_target(std::string_view body);

struct FunctionCallView {
  std::uint32_t function = 0;  // pg_proc.oid
  std::string_view values;     // argument formats and arguments, laid out as those of a Bind
};
// Nullopt when the body is too short for the function. The arguments are not looked at.
[[nodiscard]] std::optional<FunctionCallView> parse_function_call(std::string_view body);

// `types`, `values`, `formats`: as in the views above; empty = none.
[[nodiscard]] std::string serialize_parse(std::string_view statement, std::string_view text,
                                          std::string_view types = {});
[[nodiscard]] std::string serialize_bind(std::string_view portal, std::string_view statement,
                                         std::string_view values, std::string_view formats);
[[nodiscard]] std::string serialize_execute(std::string_view portal, std::int32_t max_rows);
[[nodiscard]] std::string serialize_close_statement(std::string_view name);
[[nodiscard]] std::string serialize_close_portal(std::string_view name);
[[nodiscard]] std::string serialize_flush();
[[nodiscard]] std::string serialize_sync();
// Without arguments.
[[nodiscard]] std::string serialize_function_call(std::uint32_t function);

}  // namespace helios::pgwire
