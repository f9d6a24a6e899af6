// SPDX-License-Identifier: Apache-2.0
//
// What statements do to helios.* settings: every spelling of SET and RESET, and set_config(), where
// the answer is either exactly what PostgreSQL does or "unknown", never a guess.

#include "unit/sql/sql_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::sql {
namespace {

using Changes = std::vector<std::string>;

struct Case {
  const char* text;
  Changes changes;
};

void expect_changes(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto analysis = parse_text(c.text);
    EXPECT_TRUE(analysis->parsed) << c.text << ": " << analysis->error;
    EXPECT_EQ(changes_of(*analysis), c.changes) << c.text;
  }
}

TEST(Set, every_spelling_gives_the_name_in_lower_case) {
  expect_changes({
      {"set helios.tenant_id = 'acme'", {"set helios.tenant_id=acme"}},
      {"SET HELIOS.TENANT_ID TO 'Acme'", {"set helios.tenant_id=Acme"}},
      {"SET/**/SESSION helios . tenant_id TO x", {"set helios.tenant_id=x"}},
      {"set -- c\n helios./* d */tenant_id='a'", {"set helios.tenant_id=a"}},
      {"set \"HELIOS\".\"Tenant_ID\"='up'", {"set helios.tenant_id=up"}},
      {"set \"helios.tenant_id\" = 'dot'", {"set helios.tenant_id=dot"}},
      {"set U&\"\\0068elios\".tenant_id = 'u'", {"set helios.tenant_id=u"}},
      {"set helios.a.b = 'c'", {"set helios.a.b=c"}},
      {"set local helios.tenant_id = 'l'", {"local helios.tenant_id=l"}},
      {"set helios.tenant_id to default", {"reset helios.tenant_id"}},
      {"set local helios.tenant_id = default", {"local default helios.tenant_id"}},
      {"reset helios.tenant_id", {"reset helios.tenant_id"}},
      {"RESET \"Helios\".\"X\"", {"reset helios.x"}},
      {"reset all", {"reset all"}},
      {"discard all", {"discard all"}},
  });
}

TEST(Set, values_are_postgresqls_text) {
  expect_changes({
      {"set helios.a = ''", {"set helios.a="}},
      {"set helios.a = Mixed", {"set helios.a=mixed"}},
      {"set helios.a = \"Mixed\"", {"set helios.a=Mixed"}},
      {"set helios.a = on", {"set helios.a=on"}},
      {"set helios.a = true", {"set helios.a=true"}},
      {"set helios.a = FALSE", {"set helios.a=false"}},
      {"set helios.a = 007", {"set helios.a=7"}},
      {"set helios.a = -5", {"set helios.a=-5"}},
      {"set helios.a = 0x1F", {"set helios.a=31"}},
      {"set helios.a = 1.50", {"set helios.a=1.50"}},
      {"set helios.a = -1e3", {"set helios.a=-1e3"}},
      {"set helios.a = 99999999999", {"set helios.a=99999999999"}},
      {"set helios.a = E'x\\ty\\\\z'", {"set helios.a=x\ty\\z"}},
      {"set helios.a = 'it''s'", {"set helios.a=it's"}},
      {"set helios.a = 'back\\slash'", {"set helios.a=back\\slash"}},
      {"set helios.a = $$d;$$", {"set helios.a=d;"}},
      {"set helios.a = U&'\\0061'", {"set helios.a=a"}},
      {"set helios.a = 'one'\n'two'", {"set helios.a=onetwo"}},
  });
}

TEST(Set, what_the_text_does_not_tell_is_unknown) {
  expect_changes({
      {"set helios.a = 'x', 'y'", {"unknown"}},
      {"set helios.tenant_id from current", {"unknown"}},
  });
}

TEST(Set, other_settings_are_not_reported_but_touch_the_session) {
  for (const char* text :
       {"set work_mem = '1MB'", "set standard_conforming_strings = off", "set names 'SJIS'",
        "set client_encoding to 'UTF8'", "set time zone 'UTC'", "set role x",
        "set session authorization default", "set transaction read only",
        "set session characteristics as transaction read only", "set heliosx.a = 1",
        "set \"helios\" = 1", "reset work_mem", "set search_path = a, b", "discard temp",
        "set local search_path from current", "set myapp.helios.tenant_id = 'x'"}) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed) << text << analysis->error;
    EXPECT_EQ(changes_of(*analysis), Changes{}) << text;
    EXPECT_TRUE(analysis->touches_session) << text;
  }
}

TEST(Set, other_objects_settings_do_not_change_the_session) {
  for (const char* text :
       {"alter system set helios.a = 'x'", "alter role r set helios.a = 'x'",
        "alter database d set helios.a to 'x'", "alter role all reset all",
        "create function f() returns int language sql set helios.a = 'x' as 'select 1'",
        "alter function f() set helios.a = 'x'", "show helios.a",
        "select current_setting('helios.tenant_id')", "select 'set helios.a = 1; reset all'",
        "update t set \"helios.a\" = 1", "set constraints all deferred"}) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed) << text << analysis->error;
    EXPECT_EQ(changes_of(*analysis), Changes{}) << text;
    EXPECT_FALSE(analysis->touches_session) << text;
  }
}

TEST(Set, several_in_one_text_keep_their_order_and_statement) {
  const auto analysis =
      parse_text("set helios.a = 1; select 1; begin; set local helios.a = 2; reset helios.b");
  ASSERT_EQ(analysis->statements.size(), 5U);
  EXPECT_EQ(describe(analysis->statements[0].settings.at(0)), "set helios.a=1");
  EXPECT_TRUE(analysis->statements[1].settings.empty());
  EXPECT_EQ(describe(analysis->statements[3].settings.at(0)), "local helios.a=2");
  EXPECT_EQ(describe(analysis->statements[4].settings.at(0)), "reset helios.b");
}

TEST(SetConfig, plain_target_with_constants_is_exact) {
  expect_changes({
      {"select set_config('helios.tenant_id', 'acme', false)", {"set helios.tenant_id=acme"}},
      {"SELECT SET_CONFIG('HELIOS.Tenant_ID', 'Acme', FALSE)", {"set helios.tenant_id=Acme"}},
      {"select pg_catalog.set_config('helios.a', 'b', true)", {"local helios.a=b"}},
      {"select \"pg_catalog\" . \"set_config\" ('helios.a', 'b', 't')", {"local helios.a=b"}},
      {"select db.pg_catalog.set_config('helios.a', 'b', 'f')", {"set helios.a=b"}},
      {"select U&\"set\\005fconfig\"('helios.a', 'b', false)", {"set helios.a=b"}},
      {"select set_config('helios.a'::text, 'b'::varchar, 'on'::bool) as x", {"local helios.a=b"}},
      {"select set_config(cast('helios.a' as text), text 'b', null)", {"set helios.a=b"}},
      {"select set_config(E'helios\\x2ea', $$b$$, ' OFF ')", {"set helios.a=b"}},
      {"select (set_config((('helios.a')), ('b'), (false)))", {"set helios.a=b"}},
      {"select set_config('helios.a', null, false)", {"reset helios.a"}},
      {"select set_config('helios.a', null::text, true)", {"local default helios.a"}},
      {"select set_config(setting_name => 'helios.a', new_value => 'b', is_local => true)",
       {"local helios.a=b"}},
      {"select set_config('helios.a', is_local => false, new_value := 'b')", {"set helios.a=b"}},
      {"select 1, set_config('helios.a', 'b', false), set_config('helios.a', 'c', true), $1",
       {"set helios.a=b", "local helios.a=c"}},
      {"select set_config('role', $1, true), set_config('helios.a', 'b', true)",
       {"local helios.a=b"}},
  });
}

TEST(SetConfig, other_constant_names_are_ignored) {
  for (const char* text :
       {"select set_config('work_mem', '1MB', false)", "select set_config('search_path', $1, true)",
        "select set_config('role', current_setting('x'), false) from t",
        "insert into t select set_config('a.b', 'c', false)"}) {
    const auto analysis = parse_text(text);
    EXPECT_EQ(changes_of(*analysis), Changes{}) << text;
    EXPECT_TRUE(analysis->touches_session) << text;
  }
}

TEST(SetConfig, name_is_a_constant_where_every_row_was_compared_with_it) {
  for (const char* text :
       {"select set_config(name, 'view, foreign-table', false) from pg_settings where name = "
        "'restrict_nonsystem_relation_kind'",
        "select set_config(s.name, 'x', false) from pg_catalog.pg_settings s where 'work_mem' = "
        "s.name::text and s.setting <> 'x'",
        "prepare p as select set_config(name, $1, false) from pg_settings where name = 'a.b'",
        "select (select set_config(name, 'x', false) from pg_settings where name = 'a.b') from "
        "t"}) {
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{}) << text;
    EXPECT_TRUE(parse_text(text)->touches_session) << text;
  }
  for (const char* text :
       {"select set_config(name, 'x', false) from pg_settings where name = 'helios.tenant_id'",
        "select set_config(name, 'x', false) from pg_settings where name = 'HELIOS.tenant_id'",
        "select set_config(name, 'x', false) from pg_settings where name = 'a' or true",
        "select set_config(name, 'x', false) from pg_settings where not name = 'a'",
        "select set_config(name, 'x', false) from pg_settings where name = $1",
        "select set_config(name, 'x', false) from pg_settings where name like 'a'",
        "select set_config(name, 'x', false) from pg_settings where name ~~ 'a'",
        "select set_config(s.name, 'x', false) from pg_settings s where name = 'a'",
        "select set_config(name, 'x', false) from pg_settings",
        "select set_config(name || 'x', 'x', false) from pg_settings where name = 'a'",
        "select set_config(name::varchar(3), 'x', false) from pg_settings where name = 'a'",
        "select 1 from pg_settings where name = 'a' and set_config(name, 'x', false) = 'x'",
        "select 1 from pg_settings where name = 'a' order by set_config(name, 'x', false)",
        "select (select set_config(name, 'x', false)) from pg_settings where name = 'a'"})
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{"unknown"}) << text;
}

TEST(SetConfig, arguments_that_are_not_constant_are_unknown) {
  for (const char* text :
       {"select set_config('helios.' || 'tenant_id', 'x', false)",
        "select set_config('helios.a', current_user, false)",
        "select set_config('helios.a', $1::char(1), false)",
        "select set_config('helios.a', $1::int::text, false)",
        "select set_config('helios.a', $1, false), $1::int",
        "select set_config('helios.a', $1 || 'b', false)",
        "select set_config('helios.a', 'b', 'perhaps')", "select set_config('helios.a', 5, false)",
        "select set_config('helios.a', 'b'::char(1), false)", "select set_config(null, 'b', false)",
        "select set_config('helios.a'::name, 'b', false)", "select set_config('helios.a', 'b')",
        "select set_config(variadic array['helios.a', 'b', 'f'])",
        "select set_config('helios.a', (select 'b'), false)",
        "select set_config(lower('helios.a'), 'b', false)",
        "select set_config('helios.a', 'b', false, 'more')"})
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{"unknown"}) << text;
}

TEST(SetConfig, places_where_it_may_run_never_or_often_are_unknown) {
  const std::string call = "set_config('helios.a', 'b', false)";
  const std::vector<std::string> texts = {
      "select * from " + call,
      "select " + call + " from t",
      "select " + call + " where false",
      "select " + call + " limit 0",
      "select distinct " + call,
      "select " + call + " union all select 'x'",
      "select 1 where " + call + " = 'b'",
      "select case when true then " + call + " end",
      "select coalesce('x', " + call + ")",
      "select length(" + call + ")",
      "select " + call + "::text",
      "select " + call + ", generate_series(1, 0)",
      "select " + call + ", (select 1)",
      "select (select " + call + ")",
      "select array[" + call + "]",
      "select exists (select " + call + ")",
      "with a as (select " + call + ") select 1",
      "with a as materialized (select 1) select " + call,
      "values (" + call + ")",
      "select a from t order by " + call,
      "select a from t group by " + call,
      "select sum(a) filter (where " + call + " = 'b') from t",
      "select sum(a) over (partition by " + call + ") from t",
      "select * from t join lateral (select " + call + ") x on true",
      "select * from t join u on " + call + " = 'b'",
      "select * from rows from (f(), set_config('helios.a', 'b', false)) as x",
      "select * from f(" + call + ")",
      "select * from t tablesample system (" + call + ")",
      "select * from xmltable('/a' passing " + call + " columns b text)",
      "select json_object('a': " + call + ")",
      "select " + call + " into u",
      "insert into t values (" + call + ")",
      "insert into t select " + call,
      "insert into t values (1) returning " + call,
      "insert into t values (1) on conflict (a) do update set b = " + call,
      "update t set a = " + call,
      "delete from t where a = " + call,
      "delete from t returning " + call,
      "merge into t using u on true when matched and " + call + " = 'b' then delete",
      "merge into t using u on true when not matched then insert values (" + call + ")",
      "explain analyze select " + call,
      "explain (analyze, verbose) insert into t select " + call,
      "copy (select " + call + ") to stdout",
      "copy t from stdin where a = " + call,
      "create table u as select " + call,
      "create materialized view v as select " + call,
      "call f(" + call + ")",
      "alter table t add column c text default " + call,
      "alter table t alter column c type text using " + call,
      "alter table t add constraint k check (" + call + " = 'b')",
      "alter table t attach partition u for values in (" + call + ")",
      "create table t (a text check (" + call + " = 'b'))",
      "create table t partition of u for values from (" + call + ") to ('z')",
      "create index on t ((" + call + ")) where " + call + " = 'b'",
      "alter domain d add check (" + call + " = 'b')",
      "create domain d as text check (" + call + " = 'b')",
      "create schema s create table t (a text default " + call + ")",
  };
  for (const std::string& text : texts) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
    const Changes changes = changes_of(*analysis);
    EXPECT_FALSE(changes.empty()) << text;
    for (const std::string& change : changes) EXPECT_EQ(change, "unknown") << text;
    EXPECT_TRUE(analysis->touches_session) << text;
  }
}

TEST(SetConfig, parameters_as_arguments_are_bound_later) {
  const auto changes = [](const char* text) { return changes_of(*parse_text(text)); };
  EXPECT_EQ(changes("select set_config($1, $2, $3)"), Changes{"bound $1 $2 $3"});
  EXPECT_EQ(changes("select set_config('Helios.A', $1::text, false)"),
            Changes{"bound helios.a $1 session"});
  EXPECT_EQ(changes("select set_config('helios.a', 'b', $1::bool)"),
            Changes{"bound helios.a b $1"});
  EXPECT_EQ(changes("select set_config($7, null, true), 1"), Changes{"bound $7 null local"});
  EXPECT_EQ(changes("select set_config('work_mem', $1, false)"), Changes{});
  EXPECT_EQ(changes("select set_config('helios.a', $1, false) from t"), Changes{"unknown"});
}

TEST(SetConfig, parameter_is_a_text_wherever_it_is_an_argument) {
  const auto changes = [](const char* text) { return changes_of(*parse_text(text)); };
  EXPECT_EQ(changes("select set_config('helios.a', $1, true), set_config('app.user', $2, true)"),
            Changes{"bound helios.a $1 local"});
  EXPECT_EQ(changes("select set_config('app.user', $1, $3), set_config('helios.a', $2::text, $3)"),
            Changes{"bound helios.a $2 $3"});
  EXPECT_EQ(changes("select set_config('app.user', $1, true), set_config('helios.a', $1, true)"),
            Changes{"bound helios.a $1 local"});
  EXPECT_EQ(changes("select set_config('helios.a', $1, true), $2::int"),
            Changes{"bound helios.a $1 local"});
  EXPECT_EQ(changes("select set_config('helios.a', $1, true), set_config('app.user', 'x', $1)"),
            Changes{"unknown"});
  EXPECT_EQ(
      changes("select set_config('helios.a', $1, true), set_config('app.user', $1::char, true)"),
      Changes{"unknown"});
}

TEST(SetConfig, what_is_stored_under_a_name_counts_when_it_is_recalled) {
  const std::string call = "set_config('helios.a', 'b', false)";
  const auto changes = [](const std::string& text) { return changes_of(*parse_text(text)); };
  EXPECT_EQ(changes("prepare p as select " + call), Changes{"stored"});
  EXPECT_EQ(changes("prepare p(text) as select set_config($1, $1, true)"), Changes{"stored"});
  EXPECT_EQ(changes("prepare p as update pg_settings set setting = 'x'"), Changes{"stored"});
  EXPECT_EQ(changes("prepare p as select set_config('work_mem', '1MB', false)"), Changes{});
  EXPECT_EQ(changes("prepare p as select 1"), Changes{});
  EXPECT_EQ(changes("declare c cursor with hold for select " + call),
            (Changes{"stored", "unknown"}));
  for (const char* text : {"execute p", "explain analyze execute p", "create table u as execute p",
                           "fetch c", "fetch all in c", "move forward 3 from c"}) {
    EXPECT_EQ(changes(text), Changes{"recalled"}) << text;
    EXPECT_TRUE(parse_text(text)->touches_session) << text;
  }
  EXPECT_EQ(changes("explain select 1"), Changes{});
  EXPECT_EQ(changes("execute p(" + call + ")"), (Changes{"recalled", "unknown"}));
}

TEST(SetConfig, do_block_is_searched_for_words) {
  for (const char* text : {"do $$ begin perform set_config('helios.a', 'b', false); end $$",
                           "do language plpgsql 'begin set HELIOS.a = 1; end'",
                           "do $x$ begin execute 'select Set_Config($1, $2, true)'; end $x$"}) {
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{"unknown"}) << text;
  }
  EXPECT_EQ(changes_of(*parse_text("do $$ begin perform 1; end $$")), Changes{});
}

TEST(SetConfig, statements_that_only_plan_or_define_it_change_nothing) {
  const std::string call = "set_config('helios.a', 'b', false)";
  const std::vector<std::string> texts = {
      "explain select " + call,
      "explain (analyze false) select " + call,
      "create view v as select " + call,
      "create rule r as on insert to t do also select " + call,
      "create function f() returns text begin atomic select " + call + "; end",
      "create function f(a text default " + call + ") returns text return " + call,
      "create trigger g before insert on t for each row when (" + call +
          " = 'b') execute function f()",
      "create policy p on t using (" + call + " = 'b')",
      "alter policy p on t with check (" + call + " = 'b')",
      "select $$" + call + "$$ /* " + call + " */ -- " + call,
      "select \"" + call + "\" from t",
      "select other.set_config('helios.a', 'b', false)",
      "select \"SET_CONFIG\"('helios.a', 'b', false)",
      "select set_config from t",
      "drop function set_config(text, text, bool)",
      "grant execute on function set_config(text, text, bool) to x",
  };
  for (const std::string& text : texts) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
    EXPECT_EQ(changes_of(*analysis), Changes{}) << text;
  }
}

// The view's rule turns such an UPDATE into set_config().
TEST(SetConfig, update_of_pg_settings_is_unknown) {
  for (const char* text : {"update pg_settings set setting = 'x' where name = 'helios.tenant_id'",
                           "UPDATE pg_catalog.PG_SETTINGS s SET setting = 'x'",
                           "with a as (update pg_settings set setting = 'x' returning 1) select 1",
                           "update U&\"pg\\005fsettings\" set setting = 'x'"}) {
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{"unknown"}) << text;
    EXPECT_TRUE(parse_text(text)->touches_session) << text;
  }
  for (const char* text : {"select * from pg_settings", "update s.pg_settings set setting = 'x'",
                           "explain update pg_settings set setting = 'x'"})
    EXPECT_EQ(changes_of(*parse_text(text)), Changes{}) << text;
}

}  // namespace
}  // namespace helios::sql
