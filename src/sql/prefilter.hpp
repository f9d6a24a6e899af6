// SPDX-License-Identifier: Apache-2.0
#pragma once

// Recognises, without parsing, texts that are certainly one hooked statement with nothing in it that
// the proxy follows. It only ever errs towards parsing: for every text that the grammar accepts, an
// answer equals what parse() says. A text that the grammar would refuse may pass: as it is at most
// one statement, the server refuses it as a whole.
//
// Why it holds, under every lexical rule of the server:
//   - no semicolon but one at the very end: the grammar separates statements by nothing else;
//   - a first word of SELECT, INSERT, UPDATE, DELETE, VALUES, WITH: no statement that manages the
//     session, defines something or executes a prepared one begins so;
//   - none of "helios", "set_config", "pg_settings" anywhere, in any case, and no Unicode escape of
//     an identifier (U&"..."): no name of interest can be spelled;
//   - none of the words that make a SELECT write (INTO, FOR, INSERT, ...): otherwise it is parsed.

#include <cstddef>
#include <optional>
#include <string_view>

namespace helios::sql {

struct PlainStatement {
  std::size_t begin = 0;  // as in Statement
  std::size_t end = 0;
  bool is_read_only = false;
};

// Requires: the text's encoding is ASCII-safe. nullopt: parse it.
[[nodiscard]] std::optional<PlainStatement> match_plain_statement(std::string_view text);

}  // namespace helios::sql
