// SPDX-License-Identifier: Apache-2.0
#include "session/refusal.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/sqlstate.hpp"

namespace helios::session {

std::string Refusal::error_response() const {
  return pgwire::serialize_error_response(pgwire::Severity::error, sqlstate, message, position);
}

bool answers_refusal(char request, const pgwire::ErrorFieldsView& error) {
  namespace state = pgwire::sqlstate;
  const std::string_view expected =
      request == pgwire::frontend::kExecute ? state::kInvalidCursorName : state::kSyntaxError;
  return error.severity == "ERROR" &&
         (error.sqlstate == expected || error.sqlstate == state::kInternalError);
}

}  // namespace helios::session
