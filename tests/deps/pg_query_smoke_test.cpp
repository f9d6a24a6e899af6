// SPDX-License-Identifier: Apache-2.0
//
// Goal: libpg_query parses, and reports a syntax error instead of crashing, under every sanitizer.

#include <gtest/gtest.h>
#include <pg_query.h>

#include <string>

namespace {

TEST(PgQuery, parse_of_two_statements_gives_tree) {
  PgQueryParseResult result = pg_query_parse("SET helios.tenant_id = 'acme'; SELECT 1");
  EXPECT_EQ(result.error, nullptr);
  EXPECT_NE(std::string(result.parse_tree).find("VariableSetStmt"), std::string::npos);
  EXPECT_NE(std::string(result.parse_tree).find("SelectStmt"), std::string::npos);
  pg_query_free_parse_result(result);
}

TEST(PgQuery, parse_of_nonsense_gives_error_with_position) {
  PgQueryParseResult result = pg_query_parse("SELEC 1");
  ASSERT_NE(result.error, nullptr);
  EXPECT_EQ(result.error->cursorpos, 1);
  pg_query_free_parse_result(result);
}

}  // namespace
