// SPDX-License-Identifier: Apache-2.0
#include "sql/tokens.hpp"

#include "sql/parse_tree.h"

#include <pg_query.h>

#include <span>

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

// Frees what the library has allocated, be it on the way of an exception.
class Scan {
 public:
  explicit Scan(const std::string& text) : scanned_(pg_query_scan_tokens(text.c_str())) {}
  ~Scan() { pg_query_free_scan_tokens_result(scanned_); }
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;
  [[nodiscard]] std::span<const PgQueryScanToken> tokens() const {
    return {scanned_.tokens, static_cast<std::size_t>(scanned_.n_tokens)};
  }

 private:
  PgQueryScanTokensResult scanned_;
};

bool is_comment(PgQueryToken token) {
  return token == PG_QUERY_TOKEN_SQL_COMMENT || token == PG_QUERY_TOKEN_C_COMMENT;
}

}  // namespace

std::vector<Token> scan_tokens(const std::string& text, bool standard_conforming_strings) {
  sql_set_scanner_rules(standard_conforming_strings);
  const Scan scan(text);
  std::vector<Token> tokens;
  tokens.reserve(scan.tokens().size());
  for (const PgQueryScanToken& token : scan.tokens()) {
    if (is_comment(token.token)) continue;
    tokens.push_back({.kind = kind_of(token.token),
                      .begin = static_cast<std::size_t>(token.start),
                      .end = static_cast<std::size_t>(token.end)});
  }
  return tokens;
}

}  // namespace helios::sql
