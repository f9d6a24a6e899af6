// SPDX-License-Identifier: Apache-2.0
#include "sql/tokens.hpp"

#include "sql/parse_tree.h"

#include <pg_query.h>

namespace helios::sql {
namespace {

Token::Kind kind_of(PgQueryToken token) {
  switch (token) {
    case PG_QUERY_TOKEN_ASCII_40:  // (
    case PG_QUERY_TOKEN_ASCII_91:  // [
      return Token::Kind::open;
    case PG_QUERY_TOKEN_ASCII_41:  // )
    case PG_QUERY_TOKEN_ASCII_93:  // ]
      return Token::Kind::close;
    case PG_QUERY_TOKEN_ASCII_44: return Token::Kind::comma;
    case PG_QUERY_TOKEN_LATERAL_P: return Token::Kind::lateral;
    case PG_QUERY_TOKEN_ALL: return Token::Kind::all;
    default: return Token::Kind::other;
  }
}

bool is_comment(PgQueryToken token) {
  return token == PG_QUERY_TOKEN_SQL_COMMENT || token == PG_QUERY_TOKEN_C_COMMENT;
}

}  // namespace

std::vector<Token> scan_tokens(const std::string& text, bool standard_conforming_strings) {
  sql_set_scanner_rules(standard_conforming_strings);
  const PgQueryScanTokensResult scanned = pg_query_scan_tokens(text.c_str());
  std::vector<Token> tokens;
  tokens.reserve(static_cast<std::size_t>(scanned.n_tokens));
  for (int i = 0; i < scanned.n_tokens; ++i) {
    const PgQueryScanToken& token = scanned.tokens[i];
    if (is_comment(token.token)) continue;
    tokens.push_back({.kind = kind_of(token.token),
                      .begin = static_cast<std::size_t>(token.start),
                      .end = static_cast<std::size_t>(token.end)});
  }
  pg_query_free_scan_tokens_result(scanned);
  return tokens;
}

}  // namespace helios::sql
