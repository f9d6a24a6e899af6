// SPDX-License-Identifier: Apache-2.0
//
// Calls of helios.kv(): where they stand, what they are given, and which uses are refused.

#include "unit/sql/sql_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<KvCall> calls_of(std::string_view text) {
  const auto analysis = parse_text(text);
  EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
  std::vector<KvCall> calls;
  for (const Statement& statement : analysis->statements)
    calls.insert(calls.end(), statement.kv_calls.begin(), statement.kv_calls.end());
  EXPECT_EQ(analysis->has_kv_calls, !calls.empty()) << text;
  return calls;
}

KvCall only_call(std::string_view text) {
  const std::vector<KvCall> calls = calls_of(text);
  EXPECT_EQ(calls.size(), 1U) << text;
  return calls.empty() ? KvCall{} : calls.front();
}

std::string range(std::string_view text, std::size_t begin, std::size_t end) {
  return std::string(text.substr(begin, end - begin));
}

std::string describe_argument(std::string_view text, const KvArgument& argument) {
  const std::string written = range(text, argument.begin, argument.end);
  return argument.constant ? written + " = <" + *argument.constant + ">" : written;
}

struct Case {
  const char* text;
  KvCall::Form form;
  const char* replaced;
  std::vector<std::string> arguments;
  // Of a table. Names in expressions have a test of their own.
  bool has_alias = false;
};

void expect_calls(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const KvCall call = only_call(c.text);
    EXPECT_EQ(call.problem, "") << c.text;
    EXPECT_EQ(call.form, c.form) << c.text;
    EXPECT_EQ(range(c.text, call.begin, call.end), c.replaced) << c.text;
    if (c.form == KvCall::Form::table) {
      EXPECT_EQ(call.has_alias, c.has_alias) << c.text;
    }
    std::vector<std::string> arguments;
    for (const KvArgument& argument : call.arguments)
      arguments.push_back(describe_argument(c.text, argument));
    EXPECT_EQ(arguments, c.arguments) << c.text;
  }
}

constexpr auto kTable = KvCall::Form::table;
constexpr auto kScalar = KvCall::Form::scalar;

TEST(KvTable, every_spelling_of_the_call_is_found) {
  expect_calls({
      {"select * from helios.kv()", kTable, "helios.kv()", {}},
      {"SELECT * FROM HELIOS.Kv ( )", kTable, "HELIOS.Kv ( )", {}},
      {"select * from \"helios\".\"kv\"()", kTable, "\"helios\".\"kv\"()", {}},
      {"select * from helios /* ( */ . -- )\n kv (/* ) */) where true",
       kTable,
       "helios /* ( */ . -- )\n kv (/* ) */)",
       {}},
      {"select * from U&\"\\0068elios\".kv()", kTable, "U&\"\\0068elios\".kv()", {}},
      {"select * from U&\"!0068elios\" uescape '!' .kv('a')",
       kTable,
       "U&\"!0068elios\" uescape '!' .kv('a')",
       {"'a' = <a>"}},
      {"select * from helios.kv('counter') as k",
       kTable,
       "helios.kv('counter')",
       {"'counter' = <counter>"},
       true},
      {"select * from helios.kv('c') k(a, b)", kTable, "helios.kv('c')", {"'c' = <c>"}, true},
      {"select * from t, LATERAL /* x */ helios.kv(t.p) k",
       kTable,
       "LATERAL /* x */ helios.kv(t.p)",
       {"t.p"},
       true},
      {"select * from t cross join lateral helios.kv('a')",
       kTable,
       "lateral helios.kv('a')",
       {"'a' = <a>"}},
      {"select 'lateral', * from helios.kv('a', 'b')",
       kTable,
       "helios.kv('a', 'b')",
       {"'a' = <a>", "'b' = <b>"}},
  });
}

TEST(KvTable, is_found_wherever_a_table_may_stand) {
  for (const char* text :
       {"select * from t join helios.kv('a') k on k.key = t.key",
        "select * from (select * from helios.kv('a')) x",
        "insert into t select * from helios.kv('a')",
        "select 1 where exists (select 1 from helios.kv('a'))",
        "explain select * from helios.kv('a')",
        "with a as (select * from helios.kv('a')) select * from a",
        "update t set a = 1 from helios.kv('a') k where k.key = t.key",
        "delete from t using helios.kv('a') k where k.key = t.key",
        "merge into t using helios.kv('a') k on k.key = t.key when matched then delete",
        "select 1 union select count(*) from helios.kv('a')",
        "explain analyze select * from helios.kv('a')",
        "copy (select * from helios.kv('a')) to stdout",
        "declare c cursor for select * from helios.kv('a')",
        "with a as (delete from t using helios.kv('a') returning 1) select 1"}) {
    const KvCall call = only_call(text);
    EXPECT_EQ(call.problem, "") << text;
    EXPECT_EQ(call.form, kTable) << text;
    EXPECT_EQ(call.arguments.at(0).constant, "a") << text;
  }
}

TEST(KvScalar, is_found_in_expressions_with_exact_argument_ranges) {
  expect_calls({
      {"select helios.kv('a', 'b')", kScalar, "helios.kv('a', 'b')", {"'a' = <a>", "'b' = <b>"}},
      {"select 1 + helios.kv('a', 'b')::int",
       kScalar,
       "helios.kv('a', 'b')",
       {"'a' = <a>", "'b' = <b>"}},
      {"select helios.kv( /* , */ 'a' /* ( */ , 'tenant:' || (f(x, ')')) -- ,\n ) from t",
       kScalar,
       "helios.kv( /* , */ 'a' /* ( */ , 'tenant:' || (f(x, ')')) -- ,\n )",
       {"'a' = <a>", "'tenant:' || (f(x, ')'))"}},
      {"select helios.kv(E'a\\'', $q$b,)$q$)",
       kScalar,
       "helios.kv(E'a\\'', $q$b,)$q$)",
       {"E'a\\'' = <a'>", "$q$b,)$q$ = <b,)>"}},
      {"select helios.kv(U&'\\0061', 'x'::text)",
       kScalar,
       "helios.kv(U&'\\0061', 'x'::text)",
       {"U&'\\0061' = <a>", "'x'::text = <x>"}},
      {"select helios.kv('a'\n'b', cast('x' as varchar))",
       kScalar,
       "helios.kv('a'\n'b', cast('x' as varchar))",
       {"'a'\n'b' = <ab>", "cast('x' as varchar) = <x>"}},
      {"select helios.kv($1, (array[1,2])[1])",
       kScalar,
       "helios.kv($1, (array[1,2])[1])",
       {"$1", "(array[1,2])[1]"}},
      {"select helios.kv(null, 5)", kScalar, "helios.kv(null, 5)", {"null", "5"}},
      {"select helios.kv('a', (select k from t))",
       kScalar,
       "helios.kv('a', (select k from t))",
       {"'a' = <a>", "(select k from t)"}},
      {"select helios.kv('a', 'x'::char(1))",
       kScalar,
       "helios.kv('a', 'x'::char(1))",
       {"'a' = <a>", "'x'::char(1)"}},
      {"update t set a = helios.kv('p', a) where b",
       kScalar,
       "helios.kv('p', a)",
       {"'p' = <p>", "a"}},
      {"insert into t values (helios.kv('p', 'k')) returning 1",
       kScalar,
       "helios.kv('p', 'k')",
       {"'p' = <p>", "'k' = <k>"}},
      {"values (helios.kv('p', 'k'))", kScalar, "helios.kv('p', 'k')", {"'p' = <p>", "'k' = <k>"}},
      {"select a from t order by helios.kv('p', a)",
       kScalar,
       "helios.kv('p', a)",
       {"'p' = <p>", "a"}},
      {"select * from f(helios.kv('p', 'k'))",
       kScalar,
       "helios.kv('p', 'k')",
       {"'p' = <p>", "'k' = <k>"}},
  });
}

TEST(KvCalls, several_come_in_text_order) {
  const std::string text =
      "with a as (select helios.kv('1', '1') from helios.kv('2')) "
      "select helios.kv('3', '3') from helios.kv('4') where helios.kv('5', '5') is null; "
      "select helios.kv('6', '6')";
  std::vector<std::string> constants;
  for (const KvCall& call : calls_of(text)) constants.push_back(*call.arguments.at(0).constant);
  EXPECT_THAT(constants, ::testing::ElementsAre("1", "2", "3", "4", "5", "6"));
}

TEST(KvCalls, text_that_only_looks_like_a_call_is_none) {
  for (const char* text : {"select 'helios.kv()'",
                           "select 1 -- helios.kv()",
                           "select /* helios.kv() */ 1",
                           "select $$ from helios.kv('a') $$",
                           "select \"helios.kv()\" from t",
                           "select e'helios.kv()'",
                           "select * from helios.kv",
                           "select helios.kv from helios",
                           "select kv('a', 'b')",
                           "select * from \"HELIOS\".kv()",
                           "select * from helios.\"KV\"()",
                           "select * from db.helios.kv()",
                           "select * from helios.kvs()",
                           "select helios.kv.key from helios.kv",
                           "insert into helios.kv (a) values (1)",
                           "create table helios.kv (a int)",
                           "create function helios.kv(text) returns int return 1",
                           "drop function helios.kv(text)",
                           "grant execute on function helios.kv(text) to x",
                           "do $$ begin perform helios.kv('a', 'b'); end $$",
                           "execute helios",
                           "create index on helios.kv (a)"})
    EXPECT_THAT(calls_of(text), IsEmpty()) << text;
}

TEST(KvCalls, backslash_strings_are_read_by_the_rules_given) {
  const std::string text = R"(select 'a\', helios.kv('b', 'c') --')";
  EXPECT_EQ(parse(text, ReadingRules{})->statements.at(0).kv_calls.size(), 1U);
  // One string up to the second quote; then b and the rest are no SQL.
  EXPECT_FALSE(parse(text, backslash_rules())->parsed);
  const std::string inside = R"(select 'a\', helios.kv(\'b\')')";
  EXPECT_THAT(parse(inside, backslash_rules())->statements.at(0).kv_calls, IsEmpty());
  const std::string argument = R"(select helios.kv('a\'),', 'b\\'))";
  const KvCall call = parse(argument, backslash_rules())->statements.at(0).kv_calls.at(0);
  EXPECT_EQ(call.arguments.at(0).constant, "a'),");
  EXPECT_EQ(call.arguments.at(1).constant, "b\\");
  EXPECT_EQ(range(argument, call.begin, call.end), R"(helios.kv('a\'),', 'b\\'))");
}

TEST(KvCalls, only_a_bare_select_list_item_lacks_a_name) {
  const auto has_alias = [](std::string_view text) {
    return parse(text, {})->statements.at(0).kv_calls.at(0).has_alias;
  };
  EXPECT_FALSE(has_alias("select helios.kv('a', 'b')"));
  EXPECT_FALSE(has_alias("select helios.kv('a')"));
  EXPECT_FALSE(has_alias("insert into t select helios.kv('a', 'b')"));
  EXPECT_FALSE(has_alias("select (select helios.kv('a', 'b')) as x"));
  EXPECT_TRUE(has_alias("select helios.kv('a', 'b') as x"));
  EXPECT_TRUE(has_alias("select upper(helios.kv('a', 'b'))"));
  EXPECT_TRUE(has_alias("select 1 where helios.kv('a', 'b') = 'c'"));
  EXPECT_TRUE(has_alias("insert into t values (helios.kv('a', 'b'))"));
  EXPECT_TRUE(has_alias("select (helios.kv('a')).key"));
}

struct Refused {
  std::string text;
  const char* reason;
};

TEST(KvProblems, unsupported_forms_say_why) {
  const std::vector<Refused> cases = {
      {"select helios.kv('a', 'b', 'c')", "at most two arguments"},
      {"select * from helios.kv('a', 'b', 'c')", "at most two arguments"},
      {"select * from helios.kv('a') with ordinality", "WITH ORDINALITY"},
      {"select * from rows from (helios.kv('a'))", "ROWS FROM"},
      {"select * from rows from (f(), helios.kv('a')) with ordinality", "ROWS FROM"},
      {"select * from lateral rows from (helios.kv('a')) x", "ROWS FROM"},
      {"select * from helios.kv('a') as t(a int)", "column definition list"},
      {"select * from helios.kv('a') as (a int)", "column definition list"},
      {"select * from rows from (helios.kv('a') as (a int))", "ROWS FROM"},
      {"select helios.kv(plugin => 'a', key => 'b')", "named arguments"},
      {"select helios.kv('a', key := 'b')", "named arguments"},
      {"select helios.kv(distinct 'a', 'b')", "DISTINCT"},
      {"select helios.kv(all 'a', 'b')", "ALL"},
      {"select helios.kv('a', 'b' order by 1)", "ORDER BY"},
      {"select helios.kv('a', 'b') within group (order by 1)", "WITHIN GROUP"},
      {"select helios.kv('a', 'b') filter (where true)", "FILTER"},
      {"select helios.kv('a', 'b') over ()", "OVER"},
      {"select helios.kv('a', variadic array['b'])", "VARIADIC"},
      {"select helios.kv(*)", "*"},
  };
  for (const Refused& c : cases)
    EXPECT_THAT(only_call(c.text).problem, HasSubstr(c.reason)) << c.text;
}

TEST(KvProblems, nested_calls_are_refused_inside_only) {
  const std::vector<KvCall> calls = calls_of(
      "select helios.kv('a', helios.kv('b', 'c')) from helios.kv((select helios.kv('d', 'e')))");
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_EQ(calls[0].problem, "");
  EXPECT_THAT(calls[1].problem, HasSubstr("argument of another"));
  EXPECT_EQ(calls[2].problem, "");
  EXPECT_THAT(calls[3].problem, HasSubstr("argument of another"));
}

TEST(KvProblems, statements_that_store_the_call_are_refused) {
  const std::string call = "helios.kv('a', 'b')";
  const std::vector<Refused> cases = {
      {"create view v as select " + call, "DDL"},
      {"create view v as select * from helios.kv('a')", "DDL"},
      {"create table t as select " + call, "frozen"},
      {"create materialized view v as select " + call, "frozen"},
      {"explain analyze create table t as select " + call, "frozen"},
      {"select " + call + " into t", "frozen"},
      {"select " + call + " into t union select 'x'", "frozen"},
      {"create table t (a text default " + call + ")", "DDL"},
      {"create table t (a text, check (a = " + call + "))", "DDL"},
      {"create table t (a text generated always as (" + call + ") stored)", "DDL"},
      {"create table t partition of u for values in (" + call + ")", "DDL"},
      {"create table t (a text) partition by list ((" + call + "))", "DDL"},
      {"create table t (a text, exclude using gist ((" + call + ") with =))", "DDL"},
      {"create foreign table t (a text default " + call + ") server s", "DDL"},
      {"alter table t alter a set default " + call, "DDL"},
      {"alter table t add check (a = " + call + ")", "DDL"},
      {"alter table t add column b text default " + call, "DDL"},
      {"alter table t alter a type text using " + call, "DDL"},
      {"alter domain d set default " + call, "DDL"},
      {"create domain d as text default " + call, "DDL"},
      {"create index on t ((" + call + "))", "DDL"},
      {"create index on t (a) where b = " + call, "DDL"},
      {"create statistics s on (" + call + "), a from t", "DDL"},
      {"create rule r as on insert to t do also select " + call, "DDL"},
      {"create rule r as on update to t where a = " + call + " do nothing", "DDL"},
      {"create trigger g before insert on t for each row when (" + call +
           " = 'x') execute function f()",
       "DDL"},
      {"create policy p on t using (" + call + " = 'x')", "DDL"},
      {"alter policy p on t with check (" + call + " = 'x')", "DDL"},
      {"create function f() returns text return " + call, "DDL"},
      {"create function f() returns text begin atomic select 1; select " + call + "; end", "DDL"},
      {"create function f(a text default " + call + ") returns text return a", "DDL"},
      {"create publication p for table t where (a = " + call + ")", "DDL"},
      {"create schema s create view v as select " + call, "DDL"},
      {"prepare p as select " + call, "PREPARE"},
      {"execute p(" + call + ")", "CALL or EXECUTE"},
      {"explain execute p(" + call + ")", "CALL or EXECUTE"},
      {"call f(" + call + ")", "CALL or EXECUTE"},
      {"call helios.kv('a', 'b')", "CALL or EXECUTE"},
      {"copy t from stdin where a = " + call, "COPY FROM"},
  };
  for (const Refused& c : cases)
    EXPECT_THAT(only_call(c.text).problem, HasSubstr(c.reason)) << c.text;
}

}  // namespace
}  // namespace helios::sql
