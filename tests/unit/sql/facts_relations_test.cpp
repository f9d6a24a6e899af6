// SPDX-License-Identifier: Apache-2.0
//
// The relations that a statement names, and what it does with them.

#include "unit/sql/facts_test_support.hpp"

namespace helios::sql {
namespace {

struct Row {
  const char* text;
  const char* expected;
};

void expect_relations(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(relations_in(facts_of(row.text)), row.expected) << row.text;
}

TEST(Relations, of_queries) {
  expect_relations(
      {{"select 1", ""},
       {"select * from t", "t:r"},
       {"table only t", "t:r"},
       {"select * from a, b as x, c y (z), lateral (select * from d) e", "a:r b:r c:r d:r"},
       {"select * from a join b on true left join (c natural join d) using (x)", "a:r b:r c:r d:r"},
       {"select * from t, t as again, s.t", "s.t:r t:r"},
       {"select (select max(a) from t), array(select 1 from u) from v", "t:r u:r v:r"},
       {"select 1 where a in (select b from t) and exists (table u)", "t:r u:r"},
       {"select 1 from a union all (select 2 from b except select 3 from c)", "a:r b:r c:r"},
       {"select * from a group by (select 1 from b) having (select true from c) order by (select 1 "
        "from d) limit (select 1 from e)",
        "a:r b:r c:r d:r e:r"},
       {"select * from t tablesample system (1)", "t:r"},
       {"select * from t x for update of x", "t:r"},
       {"select * from t, u for share of t skip locked", "t:r u:r"},
       {"values (1, (select 1 from t))", "t:r"},
       {"select * from f((select 1 from t)), xmltable('x' passing (select a from u) columns b int)",
        "t:r u:r"},
       {"select t.a, u.* from v", "v:r"}});
}

TEST(Relations, names_are_as_written) {
  expect_relations({{"select * from d.s.t, s.t, t", "d.s.t:r s.t:r t:r"},
                    {"select * from Accounts, \"Accounts\", ACCOUNTS", "Accounts:r accounts:r"},
                    {"select * from \"S x\".\"a\"\"b\"", "S x.a\"b:r"},
                    {"select * from U&\"d\\0061t\"", "dat:r"},
                    {"select * from \"a.b\", a.b", "a.b:r a.b:r"},
                    {"select * from \"größe\"", "größe:r"},
                    {"select * from pg_temp.t", "pg_temp.t:r"}});
  const std::string longest(63, 'x');
  EXPECT_EQ(relations_in(facts_of("select * from " + longest + "yz")), longest + ":r");
}

TEST(Relations, of_with_queries_are_not_their_names) {
  expect_relations(
      {{"with w as (select * from t) select * from w", "t:r"},
       {"with w as (select 1), v as (select * from w) select * from v, w, u", "u:r"},
       // Without RECURSIVE a query sees neither itself nor those behind it.
       {"with w as (select * from w) select * from w", "w:r"},
       {"with a as (select * from b), b as (select 1) select * from a", "b:r"},
       {"with recursive w as (select 1 union all select a + 1 from w) select * from w", ""},
       {"with recursive a as (select * from b), b as (select * from t) select * from a", "t:r"},
       // Scopes end.
       {"select * from (with w as (select 1) select * from w) x, w", "w:r"},
       {"(with w as (select 1) select * from w) union select * from w", "w:r"},
       {"with w as (with v as (select 1) select * from v) select * from w, v", "v:r"},
       {"with w as (select 1) select * from (with w as (select * from w, t) select * from w) x",
        "t:r"},
       {"with w as (select 1) select (select 1 from (select * from w) x where exists (select 1 "
        "from "
        "w))",
        ""},
       // A schema, another spelling: another relation.
       {"with w as (select 1) select * from w, public.w, \"W\"", "W:r public.w:r"},
       {"with W as (select 1) select * from w, \"w\"", ""},
       {"with w as (select 1) select * from t w", "t:r"},
       {"with w as (select 1) select * from w for update", ""}});
}

TEST(Relations, of_writes) {
  expect_relations(
      {{"insert into t values (1)", "t:w"},
       {"insert into t select * from t", "t:rw"},
       {"insert into t values (1) returning a", "t:rw"},
       {"insert into t as x values (1) on conflict (a) do nothing", "t:rw"},
       {"insert into t select * from a join b using (c)", "a:r b:r t:w"},
       {"insert into t values (1) returning (select 1 from u)", "t:rw u:r"},
       {"update only s.t x set a = (select 1 from u) from v join w on true where exists (table z)",
        "s.t:rw u:r v:r w:r z:r"},
       {"update t set (a, b) = (select 1, 2 from u)", "t:rw u:r"},
       {"delete from t using a, b where c returning (select 1 from d)", "a:r b:r d:r t:rw"},
       {"merge into t using u on t.a = u.a when matched then update set a = (select 1 from v) when "
        "not matched then insert values (1)",
        "t:rw u:r v:r"},
       {"merge into t using (select * from a, b) u on true when matched then delete",
        "a:r b:r t:rw"},
       {"truncate a, only s.b cascade", "a:w s.b:w"}});
}

// The target of a write is a relation even where a WITH query has its name, as in PostgreSQL.
TEST(Relations, of_writes_with_with) {
  expect_relations(
      {{"with w as (select * from a) insert into t select * from w", "a:r t:w"},
       {"insert into t with w as (select 1) select * from w, u", "t:w u:r"},
       {"with t as (select 1) insert into t select * from t", "t:w"},
       {"with t as (select 1) update t set a = 1 from t x", "t:rw"},
       {"with t as (select 1) delete from t", "t:rw"},
       {"with w as (select 1) merge into t using w on true when matched then delete", "t:rw"},
       {"with w as (insert into a values (1) returning *), v as (update b set c = 1 from w "
        "returning "
        "*) select * from v",
        "a:rw b:rw"},
       {"with w as (delete from a) select 1", "a:rw"},
       {"with w as (with v as (select * from b) delete from a using v returning *) insert into c "
        "table w",
        "a:rw b:r c:w"},
       {"with recursive w as (select 1 union select * from w) delete from t using w", "t:rw"}});
}

TEST(Relations, of_what_contains_a_query) {
  expect_relations(
      {{"explain analyze insert into t select * from u", "t:w u:r"},
       {"explain (costs off) with w as (select 1) delete from t using w", "t:rw"},
       {"prepare p as insert into t select * from u", "t:w u:r"},
       {"prepare p (int) as with w as (select 1) select * from w, t", "t:r"},
       {"declare c cursor for select * from t join u on true", "t:r u:r"},
       {"copy t from stdin", "t:w"},
       {"copy t (a, b) to stdout", "t:r"},
       {"copy (select * from t) to '/tmp/x'", "t:r"},
       {"copy (with w as (delete from t returning *) select * from w, u) to stdout", "t:rw u:r"},
       {"create table t as with w as (select * from u) select * from w", "t:d u:r"},
       {"create temp table t as table u", "t:d u:r"},
       {"create materialized view s.m as select * from t", "s.m:d t:r"},
       {"select * into t from u", "t:d u:r"},
       {"select * into temp t from u union select * from v", "t:d u:r v:r"},
       {"explain create table t as select * from u", "t:d u:r"},
       {"create table t as execute p", "t:d ..."},
       {"execute p", "..."},
       {"fetch c", "..."},
       {"do $$begin delete from t; end$$", "..."},
       {"call p((select 1 from t))", "t:r"}});
}

TEST(Relations, of_definitions_with_queries) {
  expect_relations(
      {{"create view s.v as select * from t", "s.v:d t:r"},
       {"create recursive view v (a) as select 1 union select a from v", "v:d"},
       {"create or replace rule r as on insert to v do instead (insert into t values (new.a); "
        "delete "
        "from u)",
        "t:w u:rw v:d"},
       {"create function f() returns int begin atomic insert into t select * from u; select 1; end",
        "t:w u:r"},
       {"create policy p on t using (a in (select b from u))", "t:d u:r"},
       {"alter policy p on t with check (exists (table u))", "t:d u:r"},
       {"create trigger g after update on t for each row when (true) execute function f()", "t:d"},
       {"create constraint trigger g after insert on t from u for each row execute function f()",
        "t:d u:d"},
       {"create schema s create table t (a int) create view v as table t", "t:rd v:d"}});
}

TEST(Relations, of_definitions) {
  expect_relations(
      {{"create table s.t (a int references u (b), like v including all, foreign key (a) "
        "references "
        "w)",
        "s.t:d u:d v:r w:d"},
       {"create table t partition of p for values from (1) to (2)", "p:d t:d"},
       {"create table t (a int) inherits (p, q)", "p:d q:d t:d"},
       {"create table t (a int) partition by range (a)", "t:d"},
       {"alter table p attach partition t default", "p:d t:d"},
       {"alter table p detach partition t concurrently", "p:d t:d"},
       {"alter table t inherit p, add foreign key (a) references u, add b int references v",
        "p:d t:d u:d v:d"},
       {"create foreign table t (a int) server s", "t:d"},
       {"create index i on only s.t (a)", "s.t:d"},
       {"alter index i set (fillfactor = 10)", "i:d"},
       {"create sequence s owned by t.a", "s:d t:d"},
       {"alter sequence s owned by x.t.a", "s:d x.t:d"},
       {"alter sequence s owned by none", "s:d"},
       {"create statistics x on a, b from t", "t:d"},
       {"drop table a, s.b, d.s.c cascade", "a:d d.s.c:d s.b:d"},
       {"drop view v", "v:d"},
       {"drop index concurrently s.i", "s.i:d"},
       {"drop trigger g on s.t", "s.t:d"},
       {"drop policy p on t", "t:d"},
       {"drop function f(int)", ""},
       {"drop schema s cascade", "..."},
       {"alter table t rename to u", "t:d"},
       {"alter table t rename column a to b", "t:d"},
       {"alter view v set schema s", "v:d"},
       {"alter type c add attribute a int", ""},
       {"alter type c rename attribute a to b", ""},
       {"comment on column s.t.a is 'x'", "s.t:d"},
       {"comment on table t is 'x'", "t:d"},
       {"comment on constraint c on t is 'x'", "t:d"},
       {"comment on type c is 'x'", ""},
       {"security label on table t is 'x'", "t:d"},
       {"grant select (a), insert on t, s.u to r", "s.u:d t:d"},
       {"revoke usage on sequence s from r", "s:d"},
       {"grant all on all tables in schema s to r", "..."},
       {"grant execute on function f() to r", ""},
       {"create publication p for table t where (a > 1), u", "t:d u:d"},
       {"create publication p for all tables", "..."},
       {"alter publication p add tables in schema s", "..."},
       {"lock table t, u in access share mode", "t:r u:r"},
       {"lock t", "t:w"},
       {"vacuum (analyze) s.t, u", "s.t:d u:d"},
       {"vacuum", "..."},
       {"analyze t (a)", "t:d"},
       {"cluster t using i", "t:d"},
       {"cluster", "..."},
       {"reindex index s.i", "s.i:d"},
       {"reindex schema s", "..."},
       {"refresh materialized view concurrently m", "m:w"},
       {"drop owned by r", "..."},
       {"alter extension e add table t", "t:d"},
       {"create role r", ""}});
}

}  // namespace
}  // namespace helios::sql
