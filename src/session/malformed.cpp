// SPDX-License-Identifier: Apache-2.0
#include "session/malformed.hpp"

#include "pgwire/extended.hpp"
#include "pgwire/sqlstate.hpp"

#include <cstddef>
#include <string>

namespace helios::session {

Refusal malformed_execute(std::string_view body) {
  const std::size_t end = body.find('\0');
  const char* what = end == std::string_view::npos ? "invalid string in message"
                     : body.size() - end - 1 < 4   ? "insufficient data left in message"
                                                   : "invalid message format";
  return {std::string(pgwire::sqlstate::kProtocolViolation), what};
}

Refusal malformed_bind(std::string_view body) {
  return {std::string(pgwire::sqlstate::kProtocolViolation),
          std::string(pgwire::fault_of_bind(body))};
}

std::optional<std::string_view> statement_of_bind(std::string_view body) {
  const std::size_t portal_end = body.find('\0');
  if (portal_end == std::string_view::npos) return std::nullopt;
  body.remove_prefix(portal_end + 1);
  const std::size_t end = body.find('\0');
  return end == std::string_view::npos ? std::nullopt : std::optional(body.substr(0, end));
}

}  // namespace helios::session
