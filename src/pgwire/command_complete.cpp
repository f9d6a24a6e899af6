// SPDX-License-Identifier: Apache-2.0
#include "pgwire/command_complete.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

#include <charconv>

namespace helios::pgwire {

std::optional<std::string_view> parse_command_complete(std::string_view body) {
  base::ByteReader reader(body);
  const std::string_view tag = reader.read_cstring();
  if (!reader.finished()) return std::nullopt;
  return tag;
}

std::optional<std::uint64_t> rows_of_tag(std::string_view tag) {
  const std::size_t space = tag.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view digits = tag.substr(space + 1);
  std::uint64_t rows = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), rows);
  if (error != std::errc{} || end != digits.end()) return std::nullopt;
  return rows;
}

std::optional<TransactionStatus> parse_ready_for_query(std::string_view body) {
  if (body.size() != 1) return std::nullopt;
  switch (body[0]) {
    case 'I': return TransactionStatus::idle;
    case 'T': return TransactionStatus::in_transaction;
    case 'E': return TransactionStatus::failed;
    default: return std::nullopt;
  }
}

std::string serialize_ready_for_query(TransactionStatus status) {
  std::string out(1, backend::kReadyForQuery);
  base::append_i32(out, 5);
  out.push_back(static_cast<char>(status));
  return out;
}

std::optional<ParameterStatusView> parse_parameter_status(std::string_view body) {
  base::ByteReader reader(body);
  ParameterStatusView status;
  status.name = reader.read_cstring();
  status.value = reader.read_cstring();
  if (!reader.finished()) return std::nullopt;
  return status;
}

}  // namespace helios::pgwire
