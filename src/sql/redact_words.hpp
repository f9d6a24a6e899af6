// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace helios::sql {

// The keywords that say where what belongs to a name ends, and what kind of statement it stands in.
enum class RedactWord : std::uint8_t {
  other,
  clause,      // begins another part of the statement: FROM, WHERE, ...
  connective,  // ends an expression, not a list: AND, THEN, AS, ...
  comparison,  // as an operator: IN, LIKE, DEFAULT, ...
  between,     // likewise, and the AND behind it is part of it
  to,          // in SET
  distinct,    // IS DISTINCT FROM
  when,
  case_word,
  end_word,
  from,
  values,
  select,
  insert,
  set,
  alter,
  table,
  as,
  options,
  connection,
  execute,
  routine,  // FUNCTION, PROCEDURE
};

// In any case. Thread rule: any thread.
[[nodiscard]] RedactWord redact_word(std::string_view word);

}  // namespace helios::sql
