// SPDX-License-Identifier: Apache-2.0
// Goal: a portal meets its hooks once, when it is made, and has one outcome: of what ran it, whatever
// that was, or of its end.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

struct Scene {
  Witness witness;
  SessionHarness harness{witness.options()};

  Scene() { harness.connect(); }

  void begin() {
    harness.client_sends(query("begin"));
    harness.server_sends(complete("BEGIN") + ready('T'));
  }
  // Makes the portal "c" of `text`, whose Bind is behind a Sync.
  void bind_c(std::string_view text) {
    harness.client_sends(parse("", text) + bind_to("c", "") + sync());
    harness.server_sends(parsed() + bound() + ready('T'));
  }
  void run(std::string_view text, std::string_view tag, char status) {
    harness.client_sends(query(text));
    harness.server_sends(complete(tag) + ready(status));
  }
};

struct Portals : testing::Test, Scene {};

TEST_F(Portals, hooks_are_asked_before_the_bind_is_forwarded) {
  harness.client_sends(parse("", "select forbidden") + bind_to("c", "") + sync());
  EXPECT_EQ(harness.to_server, parse("", "select forbidden") + refused_parse() + sync());
  EXPECT_THAT(witness.events, ElementsAre("pre select forbidden", "post select forbidden refused"));
}

// Planning runs functions.
TEST_F(Portals, one_that_was_made_and_not_executed_is_unknown) {
  begin();
  bind_c("select 1");
  run("savepoint s", "SAVEPOINT", 'T');
  run("rollback", "ROLLBACK", 'I');
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 unknown"));
}

TEST_F(Portals, one_that_something_may_have_read_is_unknown) {
  for (const std::string_view text : {"fetch all from c", "select cursor_to_xml('c', 10)"}) {
    witness.events.clear();
    begin();
    bind_c("insert into t values (1) returning 1");
    run(text, "SELECT 1", 'T');
    run("commit", "COMMIT", 'I');
    EXPECT_EQ(witness.events.back(), "post insert into t values (1) returning 1 unknown") << text;
  }
}

TEST_F(Portals, function_may_not_read_it_under_another_tenant) {
  for (const std::string_view text :
       {"select cursor_to_xml('c', 10)", "select 1", "do $$ begin end $$"}) {
    begin();
    bind_c("insert into t values (1) returning 1");
    run("set helios.tenant_id = 'other'", "SET", 'T');
    harness.to_client.clear();
    harness.to_server.clear();
    harness.client_sends(query(text));
    harness.server_sends(error("42601", "syntax error at or near \"refused\"") + ready('E'));
    EXPECT_THAT(harness.to_client, HasSubstr("was bound or declared under another tenant")) << text;
    EXPECT_THAT(harness.to_server, Not(HasSubstr(text)));
    run("rollback", "ROLLBACK", 'I');
    run("set helios.tenant_id = ''", "SET", 'I');
  }
  begin();
  bind_c("insert into t values (1) returning 1");
  run("set helios.tenant_id = 'other'", "SET", 'T');
  run("set helios.tenant_id = ''", "SET", 'T');
  run("select cursor_to_xml('c', 10)", "SELECT 1", 'T');
}

TEST_F(Portals, what_failed_may_have_read_it_too) {
  begin();
  bind_c("insert into t values (1) returning 1");
  harness.client_sends(query("select cursor_to_xml('c', 10), 1/0"));
  harness.server_sends(error("22012", "division by zero") + ready('E'));
  run("rollback", "ROLLBACK", 'I');
  EXPECT_EQ(witness.events.back(), "post insert into t values (1) returning 1 unknown");
}

TEST_F(Portals, execute_that_was_skipped_leaves_it_as_it_was) {
  begin();
  bind_c("insert into t values (1)");
  run("savepoint s", "SAVEPOINT", 'T');
  harness.client_sends(parse("", "select missing") + execute("c") + sync());
  harness.server_sends(error("42703", "no such column") + ready('E'));
  run("rollback to s", "ROLLBACK", 'T');
  EXPECT_THAT(witness.events, ElementsAre("pre insert into t values (1)"));
  harness.client_sends(execute("c") + sync());
  harness.server_sends(complete("INSERT 0 1") + ready('T'));
  EXPECT_THAT(witness.events, ElementsAre("pre insert into t values (1)",
                                          "post insert into t values (1) executed 1"));
}

TEST_F(Portals, execute_in_a_failed_transaction_leaves_it_as_it_was) {
  for (const std::string_view sqlstate : {"25P02", "57014"}) {
    witness.events.clear();
    begin();
    bind_c("insert into t values (1)");
    harness.client_sends(execute("c") + sync());
    harness.server_sends(error(sqlstate, "not now") + ready('E'));
    run("rollback to s", "ROLLBACK", 'T');
    harness.client_sends(execute("c") + sync());
    harness.server_sends(complete("INSERT 0 1") + ready('T'));
    run("commit", "COMMIT", 'I');
    EXPECT_THAT(witness.events, ElementsAre("pre insert into t values (1)",
                                            "post insert into t values (1) executed 1"));
  }
}

TEST_F(Portals, execute_in_a_failed_transaction_that_was_the_last_word_failed) {
  begin();
  bind_c("select 1");
  harness.client_sends(execute("c") + sync());
  harness.server_sends(error("25P02", "aborted") + ready('E'));
  run("rollback", "ROLLBACK", 'I');
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 failed"));
}

TEST_F(Portals, ends_with_its_transaction_although_another_one_is_chained) {
  begin();
  bind_c("select 1");
  run("commit and chain", "COMMIT", 'T');
  EXPECT_EQ(witness.events.back(), "post select 1 unknown");
}

TEST_F(Portals, takes_values_only_for_what_meets_its_hooks) {
  for (const std::string_view text : {"show work_mem", ""}) {
    harness.to_client.clear();
    harness.client_sends(pgwire::serialize_parse("", text, "\0\1\0\0\0\x19"sv) +
                         pgwire::serialize_bind("", "", "\0\0\0\1\0\0\0\1x"sv, {}) + sync());
    harness.server_sends(parsed() + syntax_error() + ready('I'));
    EXPECT_THAT(harness.to_client, HasSubstr("C0A000")) << text;
  }
}

TEST_F(Portals, bind_that_is_malformed_does_not_reach_the_server) {
  harness.client_sends(parse("", "select $1") + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.take_to_server();
  harness.client_sends(message('B', "\0\0\0\0\0\1\0\0\0\1x\0\0y"s) + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("C08P01"));
}

TEST_F(Portals, what_could_be_read_behind_a_failed_attempt_is_unknown) {
  begin();
  bind_c("insert into t values (1) returning 1");
  run("savepoint s", "SAVEPOINT", 'T');
  harness.client_sends(execute("c") + sync());
  harness.server_sends(error("57014", "canceled") + ready('E'));
  harness.client_sends(query("rollback to s; fetch c; commit"));
  harness.server_sends(complete("ROLLBACK") + complete("FETCH 1") + complete("COMMIT") +
                       ready('I'));
  EXPECT_THAT(witness.events, Contains("post insert into t values (1) returning 1 unknown"));
}

TEST_F(Portals, rows_in_two_parts_are_one_execution) {
  begin();
  harness.client_sends(parse("", "select * from t") + bind_to("c", "") + execute("c", 2) +
                       execute("c", 2) + sync());
  harness.server_sends(parsed() + bound() + suspended() + complete("SELECT 1") + ready('T'));
  EXPECT_THAT(witness.events,
              ElementsAre("pre select * from t", "post select * from t executed 3"));
}

TEST_F(Portals, skipped_execute_of_a_cursor_that_was_never_made_has_its_end) {
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(parse("", "declare c cursor for select 5") + bind_to("", "") + execute() +
                       execute("c") + sync());
  harness.server_sends(parsed() + bound() + error("42703", "no such column") + ready('E'));
  EXPECT_THAT(
      witness.events,
      UnorderedElementsAre("pre declare c cursor for select 5", "pre select 5",
                           "post declare c cursor for select 5 failed", "post select 5 skipped"));
}

TEST_F(Portals, one_whose_bind_fails_failed) {
  harness.client_sends(parse("", "select 1/0") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + error("22012", "division by zero") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1/0", "post select 1/0 failed"));
}

TEST_F(Portals, one_whose_bind_is_skipped_is_skipped) {
  harness.client_sends(parse("", "select missing") + parse("s", "select 2") + bind_to("", "s") +
                       execute() + sync());
  harness.server_sends(error("42703", "no such column") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("pre select 2", "post select 2 skipped"));
}

TEST_F(Portals, one_that_nothing_ran_is_not_lost_with_the_connection) {
  begin();
  bind_c("select 1");
  harness.client_sends(parse("", "select 2") + bind_to("", "") + execute() + sync());
  harness.client_lost();
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "pre select 2", "post select 1 unknown",
                                          "post select 2 lost"));
}

TEST_F(Portals, one_that_was_judged_under_another_tenant_is_refused) {
  begin();
  bind_c("select 1");
  run("set helios.tenant_id = 'acme'", "SET", 'T');
  harness.take_to_server();
  harness.client_sends(execute("c") + sync());
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('E'));
  EXPECT_THAT(harness.to_client, HasSubstr("42501"));
}

TEST_F(Portals, tenant_that_is_set_in_the_same_batch_counts) {
  const std::string set = parse("s", "set helios.tenant_id = 'acme'") + bind_to("b", "s");
  const std::string judged_before = parse("", "select 1") + bind_to("a", "");
  const Trace trace = run_every_way(
      witness.options(), {client(set + judged_before + execute("b") + execute("a") + sync()),
                          server(parsed() + bound() + parsed() + bound() + complete("SET")),
                          server(syntax_error() + ready('I'))});
  EXPECT_THAT(trace.to_server, HasSubstr(refused_parse()));
  EXPECT_THAT(trace.to_client, HasSubstr("42501"));
}

// FETCH, and functions that read cursors, would run what the name stands for then.
TEST_F(Portals, statement_that_one_executes_by_name_stays_what_was_judged) {
  for (const std::string& end : {query("deallocate p"), query("deallocate all"),
                                 query("discard all"), close_statement("p") + sync()}) {
    SCOPED_TRACE(end);
    Scene each;
    each.begin();
    each.run("prepare p as select 1", "PREPARE", 'T');
    each.bind_c("execute p");
    each.harness.take_to_server();
    each.harness.client_sends(end);
    const std::string stand_in = end.front() == 'Q' ? query("refused") : refused_parse() + sync();
    const std::string sent = each.harness.take_to_server();
    EXPECT_NE(sent, end);
    EXPECT_EQ(sent.front(), stand_in.front());
    each.harness.server_sends((end.front() == 'Q' ? syntax_error() : syntax_error()) + ready('E'));
    EXPECT_THAT(each.harness.take_to_client(), HasSubstr("55006"));
    each.run("rollback", "ROLLBACK", 'I');
    each.harness.take_to_server();
    each.harness.client_sends(end);
    EXPECT_EQ(each.harness.take_to_server(), end) << "the portal is gone";
  }
}

TEST_F(Portals, what_runs_at_execute_names_then) {
  begin();
  bind_c("prepare p as select 1");
  harness.client_sends(query("execute p"));
  EXPECT_THAT(harness.to_server, HasSubstr("refused")) << "nothing has prepared it yet";
  harness.server_sends(syntax_error() + ready('E'));
  run("rollback", "ROLLBACK", 'I');
  witness.events.clear();
  harness.client_sends(parse("", "prepare q as select 1") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + bound() + complete("PREPARE") + ready('I'));
  harness.client_sends(query("execute q"));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1"));
}

TEST_F(Portals, one_whose_name_is_forgotten_on_its_way_is_followed_to_its_end) {
  harness.client_sends(parse("s", "select 1") + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.client_sends(message('P', "x\0select 2\0"s) + sync() + bind_to("", "s") + execute() +
                       sync());
  // The server takes what is malformed: nobody knows what names stand for any more.
  harness.server_sends(parsed() + ready('I') + bound() + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 executed 1"));
}

TEST_F(Portals, no_time_of_the_server_counts_twice) {
  std::vector<std::int64_t> durations;
  witness.plugin->post_query = [&durations](hooks::Call& call) {
    durations.push_back(call.statement->duration_ns / 1'000'000);
    return hooks::CallResult{};
  };
  const std::string one = parse("", "select 1") + bind_to("", "") + execute();
  harness.client_sends(one + one + one + sync());
  for (const int ms : {5, 7, 11}) {
    harness.clock.advance_ms(ms);
    harness.server_sends(parsed() + bound() + complete("SELECT 1"));
  }
  harness.server_sends(ready('I'));
  EXPECT_THAT(durations, ElementsAre(5, 7, 11));
}

TEST_F(Portals, time_of_planning_counts_and_time_of_the_client_does_not) {
  std::vector<std::int64_t> durations;
  witness.plugin->post_query = [&durations](hooks::Call& call) {
    durations.push_back(call.statement->duration_ns / 1'000'000);
    return hooks::CallResult{};
  };
  harness.client_sends(parse("", "select 1") + bind_to("", "") + flush());
  harness.clock.advance_ms(3);
  harness.server_sends(parsed() + bound());
  harness.clock.advance_ms(100);
  harness.client_sends(execute("", 1) + flush());
  harness.clock.advance_ms(2);
  harness.server_sends(suspended());
  harness.clock.advance_ms(100);
  harness.client_sends(execute() + sync());
  harness.clock.advance_ms(4);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(durations, ElementsAre(9));
}

TEST_F(Portals, memory_of_what_is_judged_is_given_back) {
  const std::uint64_t before = harness.environment.memory.here_bytes;
  for (int i = 0; i < 100; ++i) {
    harness.client_sends(parse("", "select 1") + bind_to("", "") + execute() + sync());
    harness.server_sends(parsed() + bound() + complete("SELECT 1") + ready('I'));
  }
  harness.client_sends(query("select 1"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_LT(harness.environment.memory.here_bytes, before + 4096);
}

}  // namespace
}  // namespace helios::session::test
