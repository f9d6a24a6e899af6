// SPDX-License-Identifier: Apache-2.0
#include "session/refusal.hpp"

#include "pgwire/sqlstate.hpp"

namespace helios::session {

std::string Refusal::error_response() const {
  return pgwire::serialize_error_response(pgwire::Severity::error, sqlstate, message, position);
}

bool answers_refused_text(const pgwire::ErrorFieldsView& error) {
  return error.severity == "ERROR" && (error.sqlstate == pgwire::sqlstate::kSyntaxError ||
                                       error.sqlstate == pgwire::sqlstate::kInternalError);
}

}  // namespace helios::session
