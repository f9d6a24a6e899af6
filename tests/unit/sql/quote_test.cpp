// SPDX-License-Identifier: Apache-2.0
#include "sql/quote.hpp"

#include "unit/sql/sql_test_support.hpp"

#include <gtest/gtest.h>

namespace helios::sql {
namespace {

TEST(QuoteLiteral, uses_the_escape_form_only_for_backslashes) {
  EXPECT_EQ(quote_literal(""), "''");
  EXPECT_EQ(quote_literal("acme"), "'acme'");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b"), "E'a\\\\b'");
  EXPECT_EQ(quote_literal("\\'"), "E'\\\\'''");
}

TEST(QuoteLiteral, the_parser_reads_the_value_back_under_every_rule) {
  for (const std::string value :
       {"", "plain", "'", "''", "\\", "\\\\", "\\'", "'; drop table t; --", "\\'; drop table t; --",
        "$$", "a\nb\tc", "/* */", "ä€", "E'x'", "\\x41", "\\u0041", "'\\"}) {
    const std::string text = "set helios.a = " + quote_literal(value);
    for (const ReadingRules rules : {ReadingRules{}, backslash_rules()}) {
      const auto analysis = parse(text, rules);
      ASSERT_EQ(analysis->statements.size(), 1U) << text;
      ASSERT_EQ(analysis->statements[0].settings.size(), 1U) << text;
      EXPECT_EQ(analysis->statements[0].settings[0].value, value) << text;
    }
  }
}

}  // namespace
}  // namespace helios::sql
