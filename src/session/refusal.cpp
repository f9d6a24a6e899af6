// SPDX-License-Identifier: Apache-2.0
#include "session/refusal.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/sqlstate.hpp"

#include <algorithm>

namespace helios::session {

std::string Refusal::error_response(pgwire::Severity severity) const {
  return pgwire::serialize_error_response(severity, sqlstate, message, position,
                                          {.detail = detail, .hint = hint});
}

namespace {

std::string_view expected_sqlstate(char request) {
  namespace fe = pgwire::frontend;
  namespace state = pgwire::sqlstate;
  return request == fe::kFunctionCall ? state::kUndefinedFunction : state::kSyntaxError;
}

}  // namespace

bool is_certain_name(std::string_view name) {
  constexpr std::size_t kMaxNameBytes = 63;  // NAMEDATALEN - 1
  return name.size() <= kMaxNameBytes &&
         std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Refusal refusal_of_uncertain_name() {
  return {
      std::string(pgwire::sqlstate::kNameTooLong),
      "while plugins are loaded or a tenant is fixed, names of prepared statements, cursors and "
      "savepoints have at most 63 bytes and only ASCII characters: choose another name"};
}

Refusal refusal_of_executed_name() {
  return {std::string(pgwire::sqlstate::kObjectInUse),
          "the prepared statement is executed by a portal that plugins have judged: close the "
          "portal first"};
}

Refusal refusal_of_reserved_name() {
  return {std::string(pgwire::sqlstate::kProtocolViolation), "this name is the proxy's own"};
}

bool answers_failing_statement(const pgwire::ErrorFieldsView& error) {
  return error.severity == "ERROR" && error.sqlstate == pgwire::sqlstate::kDivisionByZero;
}

bool answers_refusal(char request, const pgwire::ErrorFieldsView& error) {
  return error.severity == "ERROR" && (error.sqlstate == expected_sqlstate(request) ||
                                       error.sqlstate == pgwire::sqlstate::kInternalError);
}

}  // namespace helios::session
