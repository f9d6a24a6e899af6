// SPDX-License-Identifier: Apache-2.0
#pragma once

// SQL constants that mean the same to the server whatever its settings are.

#include <string>
#include <string_view>

namespace helios::sql {

// `value` as a string constant, in quotes. With a backslash in it the E'' form is used, so that
// standard_conforming_strings does not matter. What stands before it in the SQL must not end in a
// letter or digit, which would swallow the E.
//
// Requires: no NUL byte (no SQL text can hold one), and a client_encoding that is ASCII-safe (see
// ReadingRules) and in which `value` is valid.
[[nodiscard]] std::string quote_literal(std::string_view value);

}  // namespace helios::sql
