// SPDX-License-Identifier: Apache-2.0
#pragma once

// Secrets within a string or a comment: of connection strings (password=..., postgresql://user:...@host), of JSON ("password": "..."),
// and of SQL that a string holds (PASSWORD '...'). No parser of any of these: a scan for a name that holds a secret and what
// stands behind it, and for what looks like a URI or a SCRAM verifier.

#include "sql/masks.hpp"
#include "sql/pace.hpp"

#include <cstddef>
#include <string_view>

namespace helios::sql {

// How a string ends, for what comes behind it in the statement.
enum class StringTail {
  closed,  // no secret goes on
  name,    // "password" and nothing else, or "... password=": the value stands behind the string
  value,   // within a value, or behind a name: more of it may follow
  placeholder,  // somewhere in it "password %L": format() puts a secret there
};

struct SecretTextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  // How many quotes stand for one: 2 within '...', else 1.
  std::size_t quote_bytes = 1;
};

// Adds what is secret in this range of `text` to `masks`. Linear. What it has found is not all when `pace` ended it.
StringTail find_secrets_in(std::string_view text, const SecretTextRange& range, Masks& masks,
                           Pace& pace);

}  // namespace helios::sql
