// SPDX-License-Identifier: Apache-2.0
//
// The pre-filter may only err towards parsing: where it answers, parse() says the same.

#include "sql/prefilter.hpp"

#include "unit/sql/sql_test_support.hpp"

#include <gtest/gtest.h>

namespace helios::sql {
namespace {

void expect_same_as_parser(std::string_view text, const PlainStatement& plain, ReadingRules rules) {
  const auto analysis = parse(text, rules);
  if (!analysis->parsed) return;  // refused by the server as a whole
  ASSERT_EQ(analysis->statements.size(), 1U) << text;
  const Statement& statement = analysis->statements.front();
  EXPECT_EQ(statement.begin, plain.begin) << text;
  EXPECT_EQ(statement.end, plain.end) << text;
  EXPECT_EQ(statement.is_read_only, plain.is_read_only) << text;
  EXPECT_FALSE(statement.is_session_statement || statement.name_op != NameOp::none) << text;
  EXPECT_EQ(statement.transaction, TransactionOp::none) << text;
  EXPECT_TRUE(statement.settings.empty() && statement.kv_calls.empty()) << text;
  EXPECT_FALSE(analysis->touches_session || analysis->has_kv_calls) << text;
}

void expect_same_under_all_rules(std::string_view text) {
  const auto plain = match_plain_statement(text);
  if (!plain) return;
  expect_same_as_parser(text, *plain, ReadingRules{});
  expect_same_as_parser(text, *plain, backslash_rules());
}

TEST(Prefilter, common_statements_pass) {
  for (const char* text :
       {"SELECT abalance FROM pgbench_accounts WHERE aid = 123", "select 1", "  select 1 ;\n",
        "SELECT(1)", "select'x'", "values (1)", "insert into t values (1) returning a",
        "UPDATE t SET a = a + 1 WHERE b = 'x'", "delete from t where a = $1;",
        "with a as (select 1) select * from a", "select 'a\\'", "select information from forms_t x",
        "select updated_at, inserted from intox", "select 1 /* trace */", "\tSELECT\n1\r\n",
        "select $$a$$, E'\\'', \"b\"", "select a - b / c from t;",
        "insert into t select 1 for update"}) {
    EXPECT_TRUE(match_plain_statement(text).has_value()) << text;
    expect_same_under_all_rules(text);
  }
}

TEST(Prefilter, anything_of_interest_is_left_to_the_parser) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      ";"sv,
                                      "begin"sv,
                                      "set a.b = 1"sv,
                                      "selects"sv,
                                      "select1"sv,
                                      "/* c */ select 1"sv,
                                      "(select 1)"sv,
                                      "table t"sv,
                                      "explain select 1"sv,
                                      "select 1; select 2"sv,
                                      "select ';'"sv,
                                      "select 1;;"sv,
                                      "select 1 -- a;"sv,
                                      "select 1 /* a */;"sv,
                                      "select 1\0"sv,
                                      "select $1 \0;"sv,
                                      "select helios.kv('a','b')"sv,
                                      "select 'HeLiOs'"sv,
                                      "select SET_config('a.b','c',true)"sv,
                                      "update PG_SETTINGS set setting = 'x'"sv,
                                      "select U&\"\\0068elios\".kv()"sv,
                                      "select 1 into t"sv,
                                      "select 1 INTO t"sv,
                                      "select * from t for update"sv,
                                      "select 1for update"sv,
                                      "with a as (insert into t values (1)) select 1"sv,
                                      "with a as(delete from t returning 1)select 1"sv,
                                      "with a as (select 1) update t set a = 1"sv,
                                      "select (merge)"sv,
                                      "merge into t using u on true when matched then delete"sv,
                                      "execute a"sv,
                                      "copy t to stdout"sv})
    EXPECT_FALSE(match_plain_statement(text).has_value()) << text;
}

// All short texts over an alphabet that holds what the scanner treats specially.
TEST(Prefilter, agrees_with_the_parser_on_generated_texts) {
  const std::vector<std::string_view> pieces = {
      " ",           ";",      "'",  "\"",   "--",     "/*", "*/",          "\n",
      "\\",          "$$",     "$1", "1",    "a",      "(",  ")",           ",",
      "for update",  "into t", "E'", "U&\"", "from t", "as", "helios.kv()", "union select",
      "with x as (", "values"};
  for (const std::string_view first :
       {"select ", "insert into t ", "with x as (select 1) ", "values ("}) {
    for (const std::string_view a : pieces) {
      for (const std::string_view b : pieces) {
        for (const std::string_view c : pieces)
          expect_same_under_all_rules(std::string(first) + std::string(a) + std::string(b) +
                                      std::string(c));
      }
    }
  }
}

}  // namespace
}  // namespace helios::sql
