// SPDX-License-Identifier: Apache-2.0
#pragma once

// ErrorResponse (B), and NoticeResponse, which has the same body.
//
//   'E', Int32 length, { Byte1 field type, String value }*, Byte1 0
// Fields used here: S severity, V severity never localised, C SQLSTATE, M message, D detail, H hint, P position.

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::pgwire {

// Views into the message that was parsed; a field that is absent is empty.
struct ErrorFieldsView {
  std::string_view severity;  // V where present, else S
  std::string_view sqlstate;
  std::string_view message;
};

// Decodes a body leniently: what cannot be read is empty. A server may send anything.
[[nodiscard]] ErrorFieldsView parse_error_response(std::string_view body);

enum class Severity { error, fatal };

// What an error says beside its message; empty: nothing.
struct ErrorNotes {
  std::string_view detail = {};
  std::string_view hint = {};
};

// A complete ErrorResponse. `position` is the 1-based character position in the query, 0 = none.
// NUL bytes in texts are dropped (a String cannot hold them).
[[nodiscard]] std::string serialize_error_response(Severity severity, std::string_view sqlstate,
                                                   std::string_view message,
                                                   std::size_t position = 0,
                                                   const ErrorNotes& notes = {});

}  // namespace helios::pgwire
