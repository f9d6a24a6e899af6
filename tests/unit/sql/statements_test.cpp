// SPDX-License-Identifier: Apache-2.0
//
// Where statements begin and end, and what kind each one is.

#include "unit/sql/sql_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Statement only_statement(std::string_view text) {
  const auto analysis = parse_text(text);
  EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
  EXPECT_EQ(analysis->statements.size(), 1U) << text;
  return analysis->statements.empty() ? Statement{} : analysis->statements.front();
}

TEST(Split, empty_texts_have_no_statement) {
  for (const char* text :
       {"", " ", ";", " ; ;; ", "-- nothing", "/* a /* b */ ; */", "\n\t;\r\n"}) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed) << text;
    EXPECT_THAT(analysis->statements, IsEmpty()) << text;
    EXPECT_FALSE(analysis->touches_session) << text;
  }
}

TEST(Split, ranges_leave_out_white_space_and_semicolons) {
  EXPECT_THAT(statement_texts("  select 1  ;  "), ElementsAre("select 1"));
  EXPECT_THAT(statement_texts("select 1"), ElementsAre("select 1"));
  EXPECT_THAT(statement_texts(";; select 1 ;; select 2 ;"), ElementsAre("select 1", "select 2"));
  EXPECT_THAT(statement_texts("select 1;\n(select 2)\v\f;"), ElementsAre("select 1", "(select 2)"));
  EXPECT_THAT(statement_texts("begin;select 1;commit"), ElementsAre("begin", "select 1", "commit"));
  EXPECT_THAT(statement_texts("with a as (select 1) select 2; values (1)"),
              ElementsAre("with a as (select 1) select 2", "values (1)"));
}

TEST(Split, comments_in_front_of_a_statement_are_its_own) {
  EXPECT_THAT(statement_texts(" /* a */ -- b\n select 1;"), ElementsAre("/* a */ -- b\n select 1"));
  EXPECT_THAT(statement_texts("select 1;/* x */\n(select 2); -- y"),
              ElementsAre("select 1", "/* x */\n(select 2)"));
  EXPECT_THAT(statement_texts("/* nobody's */;; /* ; /* -- */ ; */ -- ;\r select 1"),
              ElementsAre("/* ; /* -- */ ; */ -- ;\r select 1"));
  EXPECT_THAT(statement_texts("select 1;-- a\n;--b\n;select 2;;--c\nselect 3"),
              ElementsAre("select 1", "select 2", "--c\nselect 3"));
}

TEST(Split, comments_inside_and_behind_a_statement_stay) {
  EXPECT_THAT(statement_texts("select /* ; */ 1 /* t */; select 2 -- u;"),
              ElementsAre("select /* ; */ 1 /* t */", "select 2 -- u;"));
}

TEST(Split, semicolons_inside_bodies_do_not_separate) {
  EXPECT_THAT(
      statement_texts("create rule r as on insert to t do also (select 1; select 2); select 3"),
      ElementsAre("create rule r as on insert to t do also (select 1; select 2)", "select 3"));
  EXPECT_THAT(statement_texts(
                  "create function f() returns int begin atomic select 1; select 2; end; select 3"),
              ElementsAre("create function f() returns int begin atomic select 1; select 2; end",
                          "select 3"));
}

TEST(Split, multibyte_text_counts_in_bytes) {
  EXPECT_THAT(statement_texts("select 'äöü€'; select 2"), ElementsAre("select 'äöü€'", "select 2"));
}

TEST(SessionStatements, are_told_by_parse_node) {
  for (const char* text : {"begin",
                           "start transaction read only",
                           "commit",
                           "end",
                           "rollback",
                           "abort",
                           "savepoint a",
                           "release a",
                           "rollback to a",
                           "commit and chain",
                           "set a.b = 1",
                           "set local a.b = 1",
                           "set time zone 'UTC'",
                           "set names 'utf8'",
                           "set role x",
                           "set session authorization x",
                           "set transaction isolation level serializable",
                           "reset all",
                           "reset a.b",
                           "show all",
                           "show a.b",
                           "discard all",
                           "discard plans",
                           "deallocate a",
                           "deallocate all",
                           "prepare a as select 1",
                           "listen a",
                           "unlisten *"})
    EXPECT_TRUE(only_statement(text).is_session_statement) << text;
}

TEST(SessionStatements, others_are_hooked) {
  for (const char* text :
       {"select 1", "prepare transaction 'x'", "commit prepared 'x'", "rollback prepared 'x'",
        "execute a", "notify a", "set constraints all deferred", "do $$ begin end $$", "call f()",
        "lock table t", "vacuum", "fetch c", "declare c cursor for select 1", "copy t from stdin",
        "alter system set a.b = 1", "alter role x set a.b = 1", "table t", "explain select 1"})
    EXPECT_FALSE(only_statement(text).is_session_statement) << text;
}

TEST(Transactions, each_statement_has_its_operation) {
  const struct {
    const char* text;
    TransactionOp operation;
    const char* savepoint;
    bool is_chained;
  } cases[] = {
      {"begin", TransactionOp::begin, "", false},
      {"start transaction isolation level serializable", TransactionOp::begin, "", false},
      {"commit", TransactionOp::commit, "", false},
      {"end work", TransactionOp::commit, "", false},
      {"commit and chain", TransactionOp::commit, "", true},
      {"rollback", TransactionOp::rollback, "", false},
      {"abort and chain", TransactionOp::rollback, "", true},
      {"savepoint Ab", TransactionOp::savepoint, "ab", false},
      {"release savepoint \"Ab\"", TransactionOp::release, "Ab", false},
      {"rollback to savepoint a", TransactionOp::rollback_to, "a", false},
      {"prepare transaction 'g'", TransactionOp::prepare, "", false},
      {"commit prepared 'g'", TransactionOp::finish_prepared, "", false},
      {"rollback prepared 'g'", TransactionOp::finish_prepared, "", false},
      {"select 1", TransactionOp::none, "", false},
      {"set transaction read only", TransactionOp::none, "", false},
  };
  for (const auto& c : cases) {
    const Statement statement = only_statement(c.text);
    EXPECT_EQ(statement.transaction, c.operation) << c.text;
    EXPECT_EQ(statement.savepoint, c.savepoint) << c.text;
    EXPECT_EQ(statement.is_chained, c.is_chained) << c.text;
    EXPECT_EQ(parse_text(c.text)->touches_session,
              c.operation != TransactionOp::none || statement.is_session_statement)
        << c.text;
  }
}

TEST(ReadOnly, is_told_by_parse_node) {
  for (const char* text :
       {"select 1", "select nextval('s')", "values (1), (2)", "table t", "show a.b",
        "with a as (select 1) select * from a", "select 1 union select 2", "explain select 1",
        "explain insert into t values (1)", "explain (analyze false) select 1",
        "explain (analyze off, verbose) delete from t", "explain (analyze 0) select 1",
        "select substring('abc' from 1 for 2)"})
    EXPECT_TRUE(only_statement(text).is_read_only) << text;
}

TEST(ReadOnly, writes_are_found_wherever_they_stand) {
  for (const char* text : {"insert into t values (1)",
                           "update t set a = 1",
                           "delete from t",
                           "merge into t using u on true when matched then do nothing",
                           "select 1 into t",
                           "select 1 into t union select 2",
                           "select * from t for update",
                           "select * from (select * from t for share) x",
                           "select 1 for no key update",
                           "with a as (insert into t values (1) returning *) select * from a",
                           "select (with a as (delete from t returning 1) select 1)",
                           "explain analyze select 1",
                           "explain (analyze) select 1",
                           "explain (analyze on) select 1",
                           "explain (analyze false, analyze) select 1",
                           "copy (select 1) to stdout",
                           "declare c cursor for select 1",
                           "create table t as select 1",
                           "create table t (a int)",
                           "execute p",
                           "call f()",
                           "do ''",
                           "begin",
                           "set a.b = 1",
                           "prepare p as select 1",
                           "lock t",
                           "vacuum",
                           "refresh materialized view v"})
    EXPECT_FALSE(only_statement(text).is_read_only) << text;
}

TEST(Execute, is_found_alone_and_inside_others) {
  for (const char* text :
       {"execute p", "EXECUTE \"P\" (1, 'a')", "explain execute p", "explain analyze execute p(1)",
        "create table t as execute p", "create temp table t as execute p with no data",
        "explain analyze create table t as execute p"})
    EXPECT_EQ(only_statement(text).name_op, NameOp::execute) << text;
  for (const char* text : {"select execute('p')", "do 'execute p'", "prepare p as select 1",
                           "create trigger a after insert on b execute function f()",
                           "grant execute on function f to x"})
    EXPECT_NE(only_statement(text).name_op, NameOp::execute) << text;
}

// One argument: its text, "NULL", or "?" where only the server knows its value.
std::string argument_of(const std::string& text) {
  const Statement statement = only_statement("execute p(" + text + ")");
  if (statement.arguments.size() != 1) return "none";
  const ExecuteArgument& argument = statement.arguments[0];
  return argument.is_constant ? argument.text.value_or("NULL") : "?";
}

TEST(Execute, constant_arguments_are_the_texts_that_a_client_would_bind) {
  const std::pair<const char*, const char*> cases[] = {
      {"1", "1"},
      {"-1", "-1"},
      {"+1", "1"},
      {"- -1", "1"},
      {"+ -1.5", "-1.5"},
      {"-(2)", "-2"},
      {"2147483648", "2147483648"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1.50", "1.50"},
      {"1e3", "1e3"},
      {"0x1F", "31"},
      {"'it''s'", "it's"},
      {R"(E'a\nb')", "a\nb"},
      {"$$a$$", "a"},
      {R"(U&'\0061')", "a"},
      {"''", ""},
      {"true", "true"},
      {"b'101'", "b101"},
      {"null", "NULL"},
      {"NULL::int", "NULL"},
      {"'1'::int", "1"},
      {"CAST('x' AS text)", "x"},
      {"date '2026-01-02'", "2026-01-02"},
      {"(-5)::bigint", "-5"},
      {"ARRAY[1, -2, null]", "{1,-2,NULL}"},
      {R"(ARRAY['a', 'b\"c', '']::text[])", R"({"a","b\\\"c",""})"},
      {"ARRAY[[1,2],[3,4]]", "{{1,2},{3,4}}"},
      {"ARRAY[]::int[]", "{}"},
      {"ARRAY['1'::int, 2]", R"({"1",2})"},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(argument_of(text), value) << text;
}

TEST(Execute, other_arguments_are_not_guessed) {
  for (const char* text : {"now()",
                           "1 + 1",
                           "'a' || 'b'",
                           "current_user",
                           "interval '1' hour",
                           "'abc'::char(2)",
                           "'abc'::varchar(2)::text",
                           "'1'::text::int",
                           "- 'a'::int",
                           "-$1",
                           "$1",
                           "$1::text",
                           "not true",
                           "~1",
                           "@ -5",
                           "(select 1)",
                           "ROW(1)",
                           "ARRAY(select 1)",
                           "ARRAY[1, now()]",
                           "ARRAY[[1],[1 + 1]]",
                           "x",
                           "'a' collate \"C\"",
                           "1 operator(pg_catalog.-) 2",
                           "case when true then 1 end"})
    EXPECT_EQ(argument_of(text), "?") << text;
}

TEST(Execute, arguments_keep_their_order) {
  const Statement statement = only_statement("execute p(1, now(), 'x')");
  ASSERT_EQ(statement.arguments.size(), 3U);
  EXPECT_EQ(statement.arguments[0].text, "1");
  EXPECT_FALSE(statement.arguments[1].is_constant);
  EXPECT_EQ(statement.arguments[2].text, "x");
  EXPECT_TRUE(only_statement("execute p").arguments.empty());
}

TEST(Execute, inside_others_is_told_apart) {
  EXPECT_FALSE(only_statement("execute p").is_nested_execute);
  EXPECT_TRUE(only_statement("explain analyze execute p").is_nested_execute);
  EXPECT_FALSE(only_statement("explain execute p").is_read_only);
  EXPECT_FALSE(only_statement("explain create table t as execute p").is_read_only);
  EXPECT_EQ(only_statement("explain execute p(set_config('helios.a', 'b', false))").settings.size(),
            2U);
  EXPECT_TRUE(only_statement("create table t as execute p").is_nested_execute);
  EXPECT_TRUE(only_statement("explain analyze create table t as execute p").is_nested_execute);
}

TEST(Names, each_statement_says_what_it_does_with_which) {
  const auto expect = [](const char* text, NameOp op, const char* name) {
    EXPECT_EQ(only_statement(text).name_op, op) << text;
    EXPECT_EQ(only_statement(text).name, name) << text;
  };
  expect("prepare P as select 1", NameOp::prepare, "p");
  expect("execute \"P\"(1)", NameOp::execute, "P");
  expect("deallocate prepare p", NameOp::deallocate, "p");
  expect("deallocate all", NameOp::deallocate_all, "");
  expect("deallocate \"all\"", NameOp::deallocate, "all");
  expect("declare c cursor for select 1", NameOp::declare, "c");
  expect("explain analyze declare c cursor with hold for select 1", NameOp::none, "");
  expect("explain (analyze) declare c cursor for select 1", NameOp::none, "");
  EXPECT_FALSE(only_statement("declare c cursor for select 1").is_holdable);
  EXPECT_TRUE(only_statement("declare c cursor with hold for select 1").is_holdable);
  expect("fetch all from c", NameOp::fetch, "c");
  expect("move c", NameOp::fetch, "c");
  expect("close c", NameOp::close, "c");
  expect("close all", NameOp::close_all, "");
  expect("discard all", NameOp::discard_all, "");
  expect("discard plans", NameOp::none, "");
  expect("explain declare c cursor for select 1", NameOp::none, "");
}

TEST(Names, the_query_of_a_cursor_is_found) {
  const std::string text = "DECLARE \"for\" CURSOR WITH HOLD FOR select 1 for update";
  EXPECT_EQ(text.substr(only_statement(text).query_begin), "select 1 for update");
}

TEST(Names, the_prepared_query_is_found) {
  for (const char* head : {"prepare p as ", "PREPARE \"as\" (int, text) AS /* as */ ",
                           "select 1; prepare p(\"as\") -- as\n as\n"}) {
    const std::string text = std::string(head) + "select 'as' as x; select 2";
    const auto analysis = parse(text, {});
    ASSERT_TRUE(analysis->parsed) << text << analysis->error;
    for (const Statement& statement : analysis->statements) {
      if (statement.name_op != NameOp::prepare) continue;
      EXPECT_EQ(text.substr(statement.query_begin, statement.end - statement.query_begin),
                "select 'as' as x")
          << text;
    }
  }
}

}  // namespace
}  // namespace helios::sql
