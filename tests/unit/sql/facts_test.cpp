// SPDX-License-Identifier: Apache-2.0
//
// What is told of a statement: its kind, its clauses, the functions it calls, what pins the session.

#include "unit/sql/facts_test_support.hpp"

namespace helios::sql {
namespace {

struct Row {
  const char* text;
  const char* expected;
};

TEST(Facts, kind_is_that_of_the_parse_node) {
  for (const Row& row : std::initializer_list<Row>{
           {"select 1", "select"},
           {"(values (1), (2))", "select"},
           {"table t", "select"},
           {"select 1 into t", "select"},
           {"with w as (delete from t returning 1) select * from w", "select"},
           {"insert into t default values", "insert"},
           {"with w as (select 1) insert into t table w", "insert"},
           {"update t set a = 1", "update"},
           {"delete from t", "delete"},
           {"merge into t using u on true when matched then delete", "merge"},
           {"truncate t, u", "truncate"},
           {"copy t from stdin", "copy_from"},
           {"copy t to '/tmp/t'", "copy_to"},
           {"copy (select 1) to stdout", "copy_to"},
           {"call p(1)", "call"},
           {"do $$begin end$$", "do"},
           {"explain select 1", "explain"},
           {"explain analyze insert into t values (1)", "explain"},
           {"prepare p as select 1", "prepare"},
           {"execute p(1)", "execute"},
           {"deallocate all", "deallocate"},
           {"declare c cursor for select 1", "declare"},
           {"fetch 2 from c", "fetch"},
           {"move c", "fetch"},
           {"close all", "close"},
           {"listen c", "listen"},
           {"unlisten *", "unlisten"},
           {"notify c, 'x'", "notify"},
           {"lock t in share mode", "lock"},
           {"vacuum t", "vacuum"},
           {"analyze t", "analyze"},
           {"cluster", "maintenance"},
           {"reindex table t", "maintenance"},
           {"refresh materialized view m", "maintenance"},
           {"checkpoint", "maintenance"},
           {"begin", "transaction"},
           {"rollback to s", "transaction"},
           {"prepare transaction 'x'", "transaction"},
           {"set a.b = 1", "set"},
           {"reset all", "set"},
           {"set constraints all deferred", "set"},
           {"show a.b", "show"},
           {"discard temp", "discard"},
           {"load 'x'", "load"},
           {"grant select on t to r", "grant"},
           {"revoke a from b", "grant"},
           {"create table t (a int)", "ddl"},
           {"create table t as select 1", "ddl"},
           {"create view v as select 1", "ddl"},
           {"alter table t add b int", "ddl"},
           {"drop role r", "ddl"},
           {"comment on table t is 'x'", "ddl"},
           {"create extension e", "ddl"},
           {"alter system set a.b = 1", "ddl"},
           {"reassign owned by a to b", "ddl"}}) {
    EXPECT_EQ(to_word(facts_of(row.text).kind), row.expected) << row.text;
  }
}

TEST(Facts, clauses_of_the_outermost_query) {
  for (const Row& row : std::initializer_list<Row>{
           {"select 1", "no-where no-limit"},
           {"select * from t where a limit 1", "where limit"},
           {"select * from t offset 1", "no-where no-limit"},
           {"select * from t limit all", "no-where no-limit"},
           {"select * from t limit null", "no-where no-limit"},
           {"select * from t limit $1", "no-where limit"},
           {"select * from t order by a fetch first 2 rows with ties", "no-where limit"},
           {"select * from (select * from t where a limit 1) s", "no-where no-limit"},
           {"select 1 where a union select 2 where b", "no-limit"},
           {"(select 1) union (select 2) limit 3", "limit"},
           {"values (1)", "no-limit"},
           {"update t set a = 1", "no-where"},
           {"update t set a = 1 where b", "where"},
           {"update t set a = 1 where current of c", "where"},
           {"delete from t", "no-where"},
           {"delete from t using u where a", "where"},
           {"with w as (delete from t where a returning 1) delete from u", "no-where"},
           {"insert into t select * from u where a", ""},
           {"merge into t using u on true when matched then delete", ""},
           {"copy t from stdin", "no-where"},
           {"copy t from stdin where a > 1", "where"},
           {"copy t to stdout", ""},
           {"copy (select * from t limit 1) to stdout", "no-where limit"},
           {"explain analyze delete from t", "no-where"},
           {"prepare p as update t set a = 1 where b", "where"},
           {"declare c cursor for select * from t where a", "where no-limit"},
           {"create table u as select * from t limit 1", "no-where limit"},
           {"explain create table u as select * from t where a", "where no-limit"},
           {"create view v as select * from t where a limit 1", ""},
           {"begin", ""}}) {
    EXPECT_EQ(clauses_in(facts_of(row.text)), row.expected) << row.text;
  }
}

TEST(Facts, functions_are_those_that_the_text_calls) {
  for (const Row& row : std::initializer_list<Row>{
           {"select 1 + a, coalesce(b, greatest(1, 2)), current_user, cast(c as int)", ""},
           {"select lower(a), LOWER(b), \"Lower\"(c)", "Lower lower"},
           {"select s.f(g(1)), f(2), d.s.f(3)", "f g s.f"},
           {"select count(*) filter (where f(a)) over (partition by g(b)) from t", "count f g"},
           {"select * from f(1) with ordinality, lateral rows from (g(2), h(3))", "f g h"},
           {"select extract(year from a), a at time zone 'x', trim(b)",
            "pg_catalog.btrim pg_catalog.extract pg_catalog.timezone"},
           {"select 1 where exists (select f(a) from t order by g(b) limit h(1))", "f g h"},
           {"with w as (select f(1)) select * from w where (select g(2))", "f g"},
           {"insert into t values (f(1)) on conflict (g(a)) do update set a = h(2) returning i(3)",
            "f g h i"},
           {"update t set a = f(1), (b, c) = (select g(1), 2) where h(d)", "f g h"},
           {"merge into t using f(1) u on g(2) when matched and h(3) then update set a = i(4)",
            "f g h i"},
           {"call s.p(f(1))", "f s.p"},
           {"execute p(f(1))", "f ..."},
           {"copy t from stdin where f(a)", "f"},
           {"copy (select f(1)) to stdout", "f"},
           {"create table t (a int default f(1) check (g(a)), exclude using gist (h(a) with =))",
            "f g h"},
           {"create index on t (f(a)) where g(b)", "f g"},
           {"create view v as select f(1)", "f"},
           {"create function f() returns int return g(1)", "g"},
           {"create trigger x before insert on t for each row when (f(new.a)) execute function g()",
            "f"},
           {"create policy p on t using (f(a)) with check (g(b))", "f g"},
           {"select helios.kv('p', f(1)), set_config('a.b', g(1), true)",
            "f g helios.kv set_config"},
           {"select set_config('a.b', 'c', true)", "set_config"},
           {"select * from helios.kv('p')", "helios.kv"},
           {"select jsonb_path_query(a, 'x'), json_value(b, '$')", "jsonb_path_query"},
           {"do $$begin perform f(); end$$", "..."},
           {"fetch c", "..."},
           {"begin", ""}}) {
    EXPECT_EQ(functions_in(facts_of(row.text)), row.expected) << row.text;
  }
}

TEST(Facts, lists_end_where_they_are_full) {
  std::string relations = "select 1 from t0";
  std::string functions = "select f0()";
  for (std::size_t i = 1; i < kMaxFactNames; ++i) {
    relations += ", t" + std::to_string(i);
    functions += ", f" + std::to_string(i) + "()";
  }
  Facts facts = facts_of(relations + ", t0");
  EXPECT_EQ(facts.relations.size(), kMaxFactNames);
  EXPECT_FALSE(facts.has_more_relations) << "the same name again is no other";
  facts = facts_of(functions + ", f63()");
  EXPECT_EQ(facts.functions.size(), kMaxFactNames);
  EXPECT_FALSE(facts.has_more_functions);

  facts = facts_of(relations + ", other where nextval('s') > 0");
  EXPECT_EQ(facts.relations.size(), kMaxFactNames);
  EXPECT_TRUE(facts.has_more_relations);
  EXPECT_FALSE(facts.has_more_functions);
  EXPECT_EQ(pins_in(facts), "sequence hidden");
  facts = facts_of(functions + ", pg_advisory_lock(1)");
  EXPECT_EQ(facts.functions.size(), kMaxFactNames);
  EXPECT_TRUE(facts.has_more_functions);
  EXPECT_EQ(pins_in(facts), "lock unknown") << "what is not listed still pins";
}

// Beyond what is kept of WITH names, a name may be one of them: it is not told as a relation.
TEST(Facts, names_beyond_many_with_queries_are_unknown) {
  std::string with = "with recursive w0 as (select 1)";
  for (std::size_t i = 1; i < kMaxFactNames; ++i)
    with += ", w" + std::to_string(i) + " as (select 1)";
  EXPECT_EQ(relations_in(facts_of(with + " select * from w0, w63, t")), "t:r");
  const Facts facts = facts_of(with + ", last as (select 1) select * from w0, last, t, s.u");
  EXPECT_EQ(relations_in(facts), "s.u:r ...");
}

TEST(Facts, nothing_is_known_of_a_statement_that_was_not_read) {
  const Facts unknown;
  EXPECT_EQ(to_word(unknown.kind), "unknown");
  EXPECT_EQ(relations_in(unknown), "...");
  EXPECT_EQ(functions_in(unknown), "...");
  EXPECT_EQ(pins_in(unknown), "unknown");
  EXPECT_EQ(clauses_in(unknown), "");

  Analyzer analyzer({});
  EXPECT_EQ(analyzer.analyze("select * from t", {})->statements.at(0).facts, unknown);
  EXPECT_EQ(analyzer.counters().prefiltered, 1U);
  EXPECT_TRUE(analyzer.analyze_with_facts("select from from", {})->statements.empty());
  EXPECT_TRUE(analyzer.analyze_with_facts("select 1", {.encoding_is_ascii_safe = false})
                  ->statements.empty());
}

TEST(Facts, are_had_on_request_for_every_text) {
  Analyzer analyzer({});
  const auto first = analyzer.analyze_with_facts("select * from t", {});
  EXPECT_EQ(relations_in(first->statements.at(0).facts), "t:r");
  EXPECT_EQ(analyzer.analyze_with_facts("select * from t", {}), first);
  EXPECT_EQ(analyzer.counters().prefiltered, 0U);
  EXPECT_EQ(analyzer.counters().hits, 1U);
  EXPECT_EQ(analyzer.analyze("begin; commit", {}), analyzer.analyze_with_facts("begin; commit", {}))
      << "one cache";
}

TEST(Facts, each_statement_of_a_text_has_its_own) {
  const auto analysis = parse_text("select * from a; insert into b values (f(1)); commit");
  ASSERT_EQ(analysis->statements.size(), 3U);
  EXPECT_EQ(relations_in(analysis->statements[0].facts), "a:r");
  EXPECT_EQ(relations_in(analysis->statements[1].facts), "b:w");
  EXPECT_EQ(functions_in(analysis->statements[1].facts), "f");
  EXPECT_EQ(relations_in(analysis->statements[2].facts), "");
}

}  // namespace
}  // namespace helios::sql
