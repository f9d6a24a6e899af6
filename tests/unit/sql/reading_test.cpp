// SPDX-License-Identifier: Apache-2.0
//
// The proxy and the server must read a text the same way: attempts to hide a statement, and what
// cannot be read at all.

#include "unit/sql/sql_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Smuggling, backslash_quote_follows_standard_conforming_strings) {
  const char* text = "select 'a\\'; select 2; --'";
  EXPECT_THAT(statement_texts(text), ElementsAre("select 'a\\'", "select 2"));
  EXPECT_THAT(statement_texts(text, backslash_rules()), ElementsAre(text));
}

TEST(Smuggling, rules_of_one_text_do_not_leak_into_the_next) {
  const char* text = "select 'a\\'; select 2; --'";
  EXPECT_FALSE(parse("select 'a", backslash_rules())->parsed);
  EXPECT_EQ(parse_text(text)->statements.size(), 2U);
  EXPECT_EQ(parse(text, backslash_rules())->statements.size(), 1U);
  EXPECT_EQ(parse_text(text)->statements.size(), 2U);
}

TEST(Smuggling, escape_strings_are_one_string) {
  EXPECT_THAT(statement_texts(R"(select E'\'; drop table t; --')"),
              ElementsAre(R"(select E'\'; drop table t; --')"));
  EXPECT_THAT(statement_texts(R"(select E'\\'; drop table t; --')"),
              ElementsAre(R"(select E'\\')", "drop table t"));
}

TEST(Smuggling, comments_nest) {
  EXPECT_THAT(statement_texts("select 1 /* /* */ ; drop table t */"),
              ElementsAre("select 1 /* /* */ ; drop table t */"));
  EXPECT_THAT(statement_texts("/* */ drop table t; /* */"), ElementsAre("/* */ drop table t"));
  EXPECT_THAT(statement_texts("select 1 -- \r; select 2"), ElementsAre("select 1 --", "select 2"));
  EXPECT_THAT(statement_texts("select 1 --+ /*\n; select 2 --*/"),
              ElementsAre("select 1 --+ /*", "select 2 --*/"));
}

TEST(Smuggling, dollar_quotes_end_at_their_own_tag) {
  EXPECT_THAT(statement_texts("select $x$;$y$;$x$; select 2"),
              ElementsAre("select $x$;$y$;$x$", "select 2"));
  EXPECT_THAT(statement_texts("select $$a;b$$;select 2"),
              ElementsAre("select $$a;b$$", "select 2"));
  // An identifier may contain dollar signs: no quote begins here.
  EXPECT_THAT(statement_texts("select a$x$ from t; select b$x$ from t"),
              ElementsAre("select a$x$ from t", "select b$x$ from t"));
}

TEST(Smuggling, quoted_identifiers_hide_semicolons) {
  EXPECT_THAT(statement_texts("select 1 as \"a;b\"\"; c\"; select 2"),
              ElementsAre("select 1 as \"a;b\"\"; c\"", "select 2"));
}

TEST(Unparsed, grammar_errors_carry_message_and_position) {
  const auto analysis = parse_text("select 1; selec 2");
  EXPECT_FALSE(analysis->parsed);
  EXPECT_EQ(analysis->error, "syntax error at or near \"selec\"");
  EXPECT_EQ(analysis->error_position, 11U);
  EXPECT_TRUE(analysis->statements.empty());
  EXPECT_FALSE(analysis->touches_session);
}

TEST(Unparsed, position_counts_characters) {
  EXPECT_EQ(parse_text("select 'ä€' from from")->error_position, 18U);
}

TEST(Unparsed, unfinished_texts_are_refused) {
  for (const char* text : {"select 'a", "select \"a", "select /* a", "select $$ a", "select (1",
                           "select E'\\", "select U&'\\00'", "select U&\"\\zzzz\"", "select 1a"})
    EXPECT_FALSE(parse_text(text)->parsed) << text;
}

TEST(Unparsed, unicode_strings_need_conforming_strings) {
  EXPECT_TRUE(parse_text("select U&'\\0061'")->parsed);
  EXPECT_FALSE(parse("select U&'\\0061'", backslash_rules())->parsed);
}

TEST(Unparsed, unsafe_encodings_are_not_read) {
  const auto analysis = parse("select 1", {.encoding_is_ascii_safe = false});
  EXPECT_FALSE(analysis->parsed);
  EXPECT_THAT(analysis->error, HasSubstr("client_encoding"));
  EXPECT_THAT(analysis->error, HasSubstr("cannot be read by the proxy"));
  EXPECT_TRUE(analysis->statements.empty());
}

TEST(Unparsed, nul_bytes_are_not_read) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(parse_text("select 1\0; drop table t"sv)->parsed);
  EXPECT_FALSE(parse_text("\0"sv)->parsed);
}

TEST(Reading, the_whole_view_is_read_and_no_byte_behind_it) {
  const std::string text = "select 1; select 2";
  EXPECT_EQ(parse_text(std::string_view(text).substr(0, 8))->statements.size(), 1U);
}

TEST(Reading, calls_are_found_behind_escapes_and_bytes_of_other_encodings) {
  const auto analysis = parse("select \xF3, '\\n', helios.kv()", backslash_rules());
  ASSERT_EQ(analysis->statements.size(), 1U);
  ASSERT_EQ(analysis->statements[0].kv_calls.size(), 1U);
  EXPECT_EQ(analysis->statements[0].kv_calls[0].problem, "");
}

TEST(Reading, bytes_of_other_encodings_pass) {
  EXPECT_THAT(statement_texts("select 'M\xFCller'; select 2"),
              ElementsAre("select 'M\xFCller'", "select 2"));
}

}  // namespace
}  // namespace helios::sql
