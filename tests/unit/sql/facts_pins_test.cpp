// SPDX-License-Identifier: Apache-2.0
//
// What of a statement may outlast its transaction.

#include "unit/sql/facts_test_support.hpp"

namespace helios::sql {
namespace {

struct Row {
  const char* text;
  const char* expected;
};

void expect_pins(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(pins_in(facts_of(row.text)), row.expected) << row.text;
}

TEST(Pins, what_leaves_nothing_behind_has_none) {
  expect_pins({{"select 1", ""},
               {"select $1::int + 2, now(), lower('X'), count(*)", ""},
               {"select * from pg_catalog.pg_class", ""},
               {"begin isolation level serializable", ""},
               {"commit", ""},
               {"savepoint s", ""},
               {"show work_mem", ""},
               {"unlisten *", ""},
               {"notify c", ""},
               {"deallocate p", ""},
               {"close c", ""},
               {"fetch c", ""},
               {"discard plans", ""},
               {"declare c cursor for select 1", ""},
               {"explain select 1", ""},
               {"select helios.kv('p', 'k')", ""}});
}

TEST(Pins, temporary_objects_in_every_spelling) {
  expect_pins(
      {{"create temp table t (a int)", "temporary hidden"},
       {"create temporary table t (a int)", "temporary hidden"},
       {"create local temp table t (a int)", "temporary hidden"},
       {"create global temporary table t (a int)", "temporary hidden"},
       {"create table pg_temp.t (a int)", "temporary hidden"},
       {"create table \"pg_temp\".t (a int)", "temporary hidden"},
       {"create table pg_temp_3.t (a int)", "temporary hidden"},
       {"create temp table if not exists t (a int) on commit delete rows", "temporary hidden"},
       {"create temp table t (a int) on commit drop", "hidden"},
       {"create temp table t partition of p default", "temporary hidden"},
       {"create temp table t as select 1", "temporary hidden"},
       {"create temp table t on commit drop as select 1", "hidden"},
       {"create table pg_temp.t as table u", "temporary hidden"},
       {"create temp table t as execute p", "temporary hidden unknown"},
       {"select 1 into temp t", "temporary hidden"},
       {"select 1 into temporary table t", "temporary hidden"},
       {"select 1 into local temp t", "temporary hidden"},
       {"select 1 into pg_temp.t", "temporary hidden"},
       {"select 1 into temp t union select 2", "temporary hidden"},
       {"create temp view v as select 1", "temporary hidden"},
       {"create or replace temp recursive view v (a) as select 1", "temporary hidden"},
       {"create temp sequence s", "temporary hidden"},
       {"create sequence pg_temp.s", "temporary hidden"},
       {"create function pg_temp.f() returns int return 1", "temporary hidden"},
       {"create type pg_temp.e as enum ('a')", "temporary hidden"},
       {"create type pg_temp.c as (a int)", "temporary hidden"},
       {"create type pg_temp.r as range (subtype = int)", "temporary hidden"},
       {"create domain pg_temp.d as int", "temporary hidden"},
       {"create aggregate pg_temp.a (int) (sfunc = f, stype = int)", "temporary hidden"},
       {"create schema s create temp table t (a int)", "temporary hidden"},
       {"explain analyze create temp table t as select 1", "temporary hidden"},
       {"explain create temp table t as select 1", "hidden"},
       {"create unlogged table t (a int)", "hidden"},
       {"create table pg_temporary.t (a int)", "hidden"},
       {"create table temp (a int)", "hidden"},
       {"insert into pg_temp.t values (1)", "hidden"},
       {"drop table pg_temp.t", "hidden"}});
}

TEST(Pins, locks_and_other_effects_of_known_functions) {
  expect_pins({{"select pg_advisory_lock(1)", "lock"},
               {"select pg_catalog.pg_advisory_lock_shared(1, 2)", "lock"},
               {"select pg_try_advisory_lock(a) from t", "lock hidden"},
               {"select * from t where pg_try_advisory_lock_shared(a)", "lock hidden"},
               {"select case when a then (select 1 + pg_advisory_lock(1)::text::int) end", "lock"},
               {"values (1), (pg_advisory_lock(1)::text::int)", "lock"},
               {"with w as (select pg_advisory_lock(1)) select 1", "lock"},
               {"update t set a = 1 where pg_try_advisory_lock(b)", "lock hidden"},
               {"delete from t returning pg_advisory_lock(a)", "lock hidden"},
               {"declare c cursor for select pg_advisory_lock(1)", "lock"},
               {"copy (select pg_advisory_lock(1)) to stdout", "lock"},
               {"explain analyze select pg_advisory_lock(1)", "lock"},
               {"explain select pg_advisory_lock(1)", ""},
               {"prepare p as select pg_advisory_lock(1)", "prepared"},
               {"select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)", ""},
               {"select pg_advisory_unlock(1), pg_advisory_unlock_all()", ""},
               {"select nextval('s'), currval('s')", "sequence"},
               {"insert into t values (nextval('s'))", "sequence hidden"},
               {"select lastval()", "sequence"},
               {"select setval('s', 1)", "sequence"},
               {"select setseed(0.5)", "process"},
               {"select pg_replication_origin_session_setup('o')", "process"},
               {"select pg_create_logical_replication_slot('a', 'b', true)", "process"},
               {"select public.dblink_connect('a', 'b')", "process unknown"}});
}

TEST(Pins, settings_that_outlast_the_transaction) {
  expect_pins({{"set a.b = 1", "setting"},
               {"set session work_mem = '1MB'", "setting"},
               {"set time zone 'UTC'", "setting"},
               {"set role r", "setting"},
               {"set session authorization r", "setting"},
               {"set session characteristics as transaction read only", "setting"},
               {"reset a.b", "setting"},
               {"reset all", "setting"},
               {"discard all", "setting"},
               {"set local a.b = 1", ""},
               {"set transaction read only", ""},
               {"set transaction snapshot 'x'", ""},
               {"set constraints all deferred", ""},
               {"select set_config('a.b', 'c', false)", "setting"},
               {"select set_config('a.b', 'c', $1)", "setting"},
               {"select set_config('a.b', 'c', is_local => true)", ""},
               {"select set_config('a.b', 'c', true)", ""},
               {"select 1 from t where set_config('a.b', a, false) = ''", "setting hidden"},
               {"explain select set_config('a.b', f(1), false)", "unknown"},
               {"prepare p as select set_config('a.b', 'c', false)", "prepared"},
               {"update pg_settings set setting = 'x'", "setting hidden"},
               {"update pg_catalog.pg_settings set setting = 'x'", "setting hidden"}});
}

TEST(Pins, session_objects) {
  expect_pins(
      {{"listen c", "listen"},
       {"prepare p as select f(a) from t", "prepared"},
       {"declare c cursor with hold for select 1", "holdable"},
       {"declare c scroll cursor with hold for select f(a) from t", "holdable hidden unknown"},
       {"declare c cursor without hold for select 1", ""},
       {"explain analyze declare c cursor with hold for select 1", ""},
       {"load 'auto_explain'", "library"}});
}

TEST(Pins, code_that_cannot_be_seen) {
  expect_pins({{"select f(1)", "unknown"},
               {"select public.lower('x')", "unknown"},
               {"select \"Lower\"('x')", "unknown"},
               {"select * from generate_series(1, 2), f(1)", "unknown"},
               {"select query_to_xml('select f()', true, true, '')", "unknown"},
               {"call p()", "unknown"},
               {"do $$begin end$$", "unknown"},
               {"execute p", "unknown"},
               {"explain execute p", "unknown"},
               {"explain analyze execute p", "unknown"},
               {"create extension e", "hidden unknown"},
               {"alter extension e update", "hidden unknown"},
               {"explain select f(1)", "unknown"},
               {"create view v as select f(a) from t", "hidden"},
               {"create function f() returns int return g(1)", "hidden"},
               {"create index on t (f(a))", "hidden unknown"},
               {"create schema s create view v as select f(1)", "hidden"},
               {"create schema s create view v as select 1 create table t (a int default f(1))",
                "hidden unknown"},
               {"select * from t", "hidden"},
               {"insert into t values (1)", "hidden"},
               {"copy t from stdin", "hidden"},
               {"copy t to stdout", "hidden"},
               {"truncate t", "hidden"},
               {"vacuum", "hidden"},
               {"create role r", "hidden"},
               {"grant a to b", "hidden"},
               {"delete from pg_catalog.pg_class", "hidden"},
               {"select * from pg_class", "hidden"},
               {"prepare p as select * from t", "prepared"}});
}

// The list of known functions is searched by halves: names all over it are found.
TEST(Pins, known_functions_are_found_wherever_they_stand) {
  expect_pins(
      {{"select abs(1), abbrev('x')", ""},
       {"select xpath('a', b), xpath_exists('a', b), width_bucket(1, 2, 3, 4)", ""},
       {"select array_agg(a), avg(b), bool_or(c), max(d), min(e), string_agg(f, g)", ""},
       {"select coalesce(a, 1), date_trunc('day', b), format('%s', c), gen_random_uuid()", ""},
       {"select jsonb_set(a, b, c), json_build_object('a', 1), to_jsonb(b), row_to_json(t)", ""},
       {"select row_number() over (), unnest(array[1]), version(), to_char(a, 'x')", ""},
       {"select obj_description(1), format_type(1, 2), pg_get_expr(a, b)", ""},
       {"select current_setting('a'), current_database(), quote_ident('a')", ""},
       {"select zzz(1)", "unknown"},
       {"select aaa(1)", "unknown"},
       {"select lowe('x')", "unknown"},
       {"select lowers('x')", "unknown"}});
}

}  // namespace
}  // namespace helios::sql
