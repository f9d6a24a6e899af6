// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the proxy says no to a message and keeps client and server in step.
//
// Idle (no transaction open, no answer outstanding) the proxy answers by itself. Otherwise the server
// must fail too, as it would have by itself: the message is replaced by one that must fail
// there, and its ErrorResponse by ours: a text that cannot be parsed, for Execute and Bind an Execute of
// a portal whose name no client knows, for FunctionCall one of a function that there cannot be. Order of replies, the skipping to Sync and the state of the
// transaction then come from the server.

#include "pgwire/error_response.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace helios::session {

struct Refusal {
  std::string sqlstate;
  std::string message;
  std::size_t position = 0;  // 1-based character position in the query text, 0 = none
  // Who refused and under which request id, and what to do; note_refusal() fills them in. Empty = not said.
  std::string detail = {};
  std::string hint = {};

  [[nodiscard]] bool is_noted() const { return !detail.empty(); }
  [[nodiscard]] std::string error_response(
      pgwire::Severity severity = pgwire::Severity::error) const;
};

// Stands in for a refused text. The server cannot parse it, and it contains nothing of the client's;
// it shows up in the server's log.
inline constexpr std::string_view kRefusedText = "refused by heliosproxy";

// Does the server surely take this name, of a statement, a portal or a savepoint, for the one that the
// proxy takes it for? It cuts a name after 63 bytes, and converts what is not ASCII.
[[nodiscard]] bool is_certain_name(std::string_view name);
[[nodiscard]] Refusal refusal_of_uncertain_name();
// The client used a name that only the proxy may use.
[[nodiscard]] Refusal refusal_of_reserved_name();
// Of what would end a prepared statement that an open portal executes.
[[nodiscard]] Refusal refusal_of_executed_name();

// Stands in for a statement of a Query that is to fail in its turn: nobody can give the operator another
// meaning.
inline constexpr std::string_view kFailingStatement = "SELECT 1 OPERATOR(pg_catalog./) 0";

// Is this error the server's answer to kFailingStatement?
[[nodiscard]] bool answers_failing_statement(const pgwire::ErrorFieldsView& error);

// Stands in for a refused FunctionCall: no function has this OID.
inline constexpr std::uint32_t kNoFunction = 0;

// Is this error the server's answer to what stands in for a refused message: kRefusedText, or the call of a function that
// does not exist? Anything else (a cancel, a FATAL, a broken connection) passes to the client unchanged. 42601 and
// 42883 are PostgreSQL's; HeliosDB-Nano answers XX000.
[[nodiscard]] bool answers_refusal(char request, const pgwire::ErrorFieldsView& error);

}  // namespace helios::session
