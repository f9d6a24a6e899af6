// SPDX-License-Identifier: Apache-2.0
#include "session/refusal.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/sqlstate.hpp"

namespace helios::session {

std::string Refusal::error_response() const {
  return pgwire::serialize_error_response(pgwire::Severity::error, sqlstate, message, position);
}

namespace {

std::string_view expected_sqlstate(char request) {
  namespace fe = pgwire::frontend;
  namespace state = pgwire::sqlstate;
  if (request == fe::kExecute) return state::kInvalidCursorName;
  return request == fe::kFunctionCall ? state::kUndefinedFunction : state::kSyntaxError;
}

}  // namespace

bool answers_refusal(char request, const pgwire::ErrorFieldsView& error) {
  return error.severity == "ERROR" && (error.sqlstate == expected_sqlstate(request) ||
                                       error.sqlstate == pgwire::sqlstate::kInternalError);
}

}  // namespace helios::session
