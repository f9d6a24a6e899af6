// SPDX-License-Identifier: Apache-2.0
// Goal: what a name stands for is what the server has under it, however it came there, and what nobody
// saw does not run under a plugin that could object.
#include "extended_messages.hpp"
#include "pgwire/frame_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct NamesTest : testing::Test {
  Witness witness;
  SessionHarness harness{witness.options()};
  NamesTest() { harness.connect(); }

  void prepare(std::string_view name, std::string_view text) {
    harness.client_sends(parse(name, text) + sync());
    harness.server_sends(parsed() + ready('I'));
    harness.take_to_client();
    harness.take_to_server();
  }
  void run(std::string_view text, std::string_view tag) {
    harness.client_sends(query(text));
    harness.server_sends(complete(tag) + ready('I'));
    harness.take_to_client();
    harness.take_to_server();
    witness.events.clear();
  }
};

TEST_F(NamesTest, sql_execute_shows_the_prepared_text) {
  run("prepare q as select 'secret' as x", "PREPARE");
  harness.client_sends(query("execute q"));
  EXPECT_THAT(witness.events, ElementsAre("pre select 'secret' as x"));
  EXPECT_EQ(harness.to_server, query("execute q"));
}

TEST_F(NamesTest, sql_execute_of_a_parsed_statement_is_refused_by_its_text) {
  prepare("s1", "select forbidden");
  harness.client_sends(query("execute s1"));
  EXPECT_THAT(harness.to_client, HasSubstr("C42000"));
}

TEST_F(NamesTest, bind_to_an_sql_prepared_statement_shows_its_text) {
  run("prepare q as select 7", "PREPARE");
  harness.client_sends(bind_to("", "q") + execute() + sync());
  EXPECT_THAT(witness.events, ElementsAre("pre select 7"));
}

TEST_F(NamesTest, prepare_and_execute_in_one_message) {
  harness.client_sends(query("prepare q as select forbidden; execute q"));
  EXPECT_THAT(witness.events, ElementsAre("pre select forbidden", "post select forbidden refused"));
  EXPECT_EQ(harness.to_server, "");
  harness.client_sends(query("execute q"));  // the PREPARE never happened
  EXPECT_THAT(harness.to_client, HasSubstr("26000"));
}

TEST_F(NamesTest, nested_execute_is_refused) {
  run("prepare q as select 1", "PREPARE");
  for (const char* text :
       {"explain analyze execute q", "create table t as execute q", "explain execute q",
        "explain execute q(set_config('helios.tenant_id', 'b', false))"}) {
    harness.client_sends(query(text));
    EXPECT_THAT(harness.take_to_client(), HasSubstr("0A000")) << text;
    EXPECT_EQ(harness.take_to_server(), "") << text;
  }
}

TEST_F(NamesTest, unknown_statement_is_refused_in_the_servers_words) {
  harness.client_sends(query("execute nobody"));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("26000"));
  harness.client_sends(bind_to("", "nobody") + execute() + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_EQ(harness.to_client,
            error("26000", "prepared statement \"nobody\" does not exist") + ready('I'));
}

TEST_F(NamesTest, statement_that_the_server_has_and_nobody_saw_is_not_even_planned) {
  harness.client_sends(bind_to("", "hidden") + sync());
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
}

TEST_F(NamesTest, transaction_command_is_not_run_by_name) {
  prepare("s", "rollback");
  harness.client_sends(query("execute s; select 1"));
  EXPECT_THAT(harness.to_client, HasSubstr("EXECUTE of a transaction command"));
  EXPECT_EQ(harness.to_server, "");
}

TEST_F(NamesTest, hidden_statement_behind_the_end_of_a_failed_transaction_does_not_run) {
  harness.client_sends(query("begin; select 1/0"));
  harness.server_sends(complete("BEGIN") + error("22012", "division by zero") + ready('E'));
  harness.take_to_server();
  harness.client_sends(query("rollback; execute hidden"));
  EXPECT_THAT(harness.to_server, Not(HasSubstr("hidden")));
}

TEST_F(NamesTest, parse_that_fails_leaves_the_old_text_under_the_name) {
  prepare("s1", "select forbidden");
  // The second Parse of the name fails, so what runs behind the Sync is the first one.
  harness.client_sends(parse("s1", "select 1") + sync() + bind_to("", "s1") + execute() + sync());
  EXPECT_EQ(harness.take_to_server(), parse("s1", "select 1") + sync());
  EXPECT_THAT(witness.events, IsEmpty()) << "what the name stands for is not certain yet";
  harness.server_sends(error("42P05", "already exists") + ready('I'));
  EXPECT_THAT(witness.events, Contains("pre select forbidden"));
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
}

TEST_F(NamesTest, parse_behind_an_error_never_happened) {
  harness.client_sends(parse("", "select * from missing") + parse("s1", "select 1") + sync());
  harness.server_sends(error("42P01", "no such table") + ready('I'));
  harness.client_sends(query("execute s1"));
  EXPECT_THAT(harness.to_client, HasSubstr("26000"));
}

TEST_F(NamesTest, parse_before_an_error_stays) {
  harness.client_sends(parse("s1", "select 1") + parse("", "select * from missing") + sync());
  harness.server_sends(parsed() + error("42P01", "no such table") + ready('I'));
  harness.client_sends(query("execute s1"));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1"));
}

TEST_F(NamesTest, close_and_deallocate_end_a_name) {
  prepare("a", "select 1");
  prepare("b", "select 2");
  harness.client_sends(close_statement("a") + sync());
  harness.server_sends(closed() + ready('I'));
  run("deallocate b", "DEALLOCATE");
  for (const char* name : {"a", "b"}) {
    harness.client_sends(query(std::string("execute ") + name));
    EXPECT_THAT(harness.take_to_client(), HasSubstr("26000")) << name;
  }
}

TEST_F(NamesTest, deallocate_all_and_discard_all_end_all_names) {
  for (const char* text : {"deallocate all", "discard all"}) {
    prepare("a", "select 1");
    run(text, "DEALLOCATE ALL");
    harness.client_sends(query("execute a"));
    EXPECT_THAT(harness.take_to_client(), HasSubstr("26000")) << text;
  }
}

TEST_F(NamesTest, deallocate_that_fails_ends_nothing) {
  prepare("a", "select 1");
  harness.client_sends(query("select 1/0; deallocate a"));
  harness.server_sends(error("22012", "division by zero") + ready('I'));
  witness.events.clear();
  harness.client_sends(query("execute a"));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1"));
}

TEST_F(NamesTest, refused_query_ends_the_unnamed_statement_at_the_server_too) {
  prepare("", "select 1");
  harness.client_sends(query("select forbidden"));
  EXPECT_EQ(harness.take_to_server(), query("refused by heliosproxy"));
  EXPECT_EQ(harness.to_client, "");
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("C42000"));
  harness.client_sends(query("select forbidden"));  // nothing left to end
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_THAT(harness.to_client, HasSubstr("C42000"));
}

TEST_F(NamesTest, answered_query_ends_the_unnamed_statement_at_the_server_too) {
  prepare("", "select 1");
  witness.plugin->pre_query = [](hooks::Call&) {
    hooks::CallResult result;
    result.verdict.action = hooks::Verdict::Action::answer;
    result.verdict.answer =
        std::make_shared<hooks::Answer>(hooks::Answer{.columns = {{.name = "a"}}, .rows = {{"1"}}});
    return result;
  };
  harness.client_sends(query("select 2"));
  EXPECT_THAT(harness.take_to_server(), HasSubstr("SELECT"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.take_to_client();
  harness.client_sends(query("select 2"));
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_THAT(harness.to_client, HasSubstr("SELECT 1"));
}

TEST_F(NamesTest, query_ends_the_unnamed_statement) {
  prepare("", "select 1");
  run("select 2", "SELECT 1");
  harness.client_sends(bind_to("", "") + execute() + sync());
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
}

TEST_F(NamesTest, execute_of_a_declared_cursor_shows_its_query) {
  harness.client_sends(query("begin; declare c cursor for select 5"));
  harness.server_sends(complete("BEGIN") + complete("DECLARE CURSOR") + ready('T'));
  witness.events.clear();
  harness.client_sends(execute("c", 1) + sync());
  EXPECT_THAT(witness.events, ElementsAre("pre select 5"));
}

TEST_F(NamesTest, only_a_cursor_with_hold_outlives_its_transaction) {
  run("declare c cursor with hold for select 5", "DECLARE CURSOR");
  harness.client_sends(execute("c", 1) + sync());
  EXPECT_EQ(harness.take_to_server(), execute("c", 1) + sync());
  harness.server_sends(suspended() + ready('I'));
  harness.client_sends(parse("", "select 1") + bind_to("p", "") + sync());
  harness.server_sends(parsed() + bound() + ready('I'));
  harness.take_to_server();
  harness.client_sends(execute("p") + sync());
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
}

TEST_F(NamesTest, names_of_queries_that_the_server_skipped_are_settled_at_its_error) {
  prepare("seven", "select 7");
  const std::string failing = parse("", "select 1/0") + bind_to("", "") + execute();
  harness.client_sends(failing + query("discard all") + query("execute seven") + sync());
  harness.server_sends(parsed() + bound() + error("22012", "division by zero"));
  EXPECT_TRUE(harness.to_server.ends_with(sync())) << "the second query waits for nothing";
}

TEST_F(NamesTest, unknown_name_in_a_failed_transaction_is_the_servers_to_refuse) {
  harness.client_sends(query("begin; select 1/0"));
  harness.server_sends(complete("BEGIN") + error("22012", "division by zero") + ready('E'));
  harness.take_to_server();
  harness.client_sends(query("execute nobody"));
  EXPECT_EQ(harness.to_server, query("execute nobody"));
}

TEST_F(NamesTest, names_of_a_time_when_nobody_watched_are_not_trusted) {
  Options options;  // no plugin folder, nobody watches
  SessionHarness unwatched(options);
  unwatched.connect();
  unwatched.client_sends(parse("s1", "select forbidden") + sync());
  unwatched.server_sends(parsed() + ready('I'));
  unwatched.set_chain({witness.plugin});
  unwatched.take_to_server();
  unwatched.client_sends(bind_to("", "s1") + execute() + sync());
  EXPECT_EQ(unwatched.to_server, refused_parse() + sync());
}

TEST_F(NamesTest, texts_are_held_once_for_all_sessions) {
  prepare("a", "select 'a text that is used twice'");
  SessionHarness other(witness.options());
  other.environment.statements = harness.environment.statements;
  other.connect();
  other.client_sends(parse("b", "select 'a text that is used twice'") + sync());
  other.server_sends(parsed() + ready('I'));
  EXPECT_EQ(harness.environment.statements->size(), 1U);
  other.client_sends(close_statement("b") + sync());
  other.server_sends(closed() + ready('I'));
  EXPECT_EQ(harness.environment.statements->size(), 1U);
  harness.client_sends(close_statement("a") + sync());
  harness.server_sends(closed() + ready('I'));
  EXPECT_EQ(harness.environment.statements->size(), 0U);
}

TEST_F(NamesTest, there_is_a_limit_on_statements) {
  Options options = witness.options();
  options.config.limits.max_prepared_statements = 16;
  SessionHarness limited(options);
  limited.connect();
  for (int i = 0; i < 16; ++i) {
    limited.client_sends(parse("s" + std::to_string(i), "select 1") + sync());
    limited.server_sends(parsed() + ready('I'));
  }
  limited.take_to_server();
  limited.client_sends(parse("one more", "select 1") + sync());
  EXPECT_EQ(limited.to_server, refused_parse() + sync());
  limited.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(limited.to_client, HasSubstr("max_prepared_statements"));
}

TEST_F(NamesTest, deep_pipeline_goes_through_with_a_flush_now_and_then) {
  std::string batch;
  for (int i = 0; i < 1000; ++i) batch += parse("", "select 1") + bind_to("", "") + execute();
  harness.client_sends(batch + sync());
  std::string forwarded;
  for (int round = 0; round < 100 && !harness.to_server.empty(); ++round) {
    std::string_view input = harness.to_server;
    std::string answer;
    pgwire::FrameReader reader;
    while (!input.empty()) {
      std::ignore = reader.next(input);
      reader.collect();
      std::ignore = reader.next(input);
      switch (reader.type()) {
        case 'P': answer += parsed(); break;
        case 'B': answer += bound(); break;
        case 'E': answer += complete("SELECT 1"); break;
        case 'S': answer += ready('I'); break;
        default: break;
      }
    }
    forwarded += harness.take_to_server();
    harness.server_sends(answer);
  }
  EXPECT_TRUE(forwarded.ends_with(sync()));
  EXPECT_TRUE(harness.to_client.ends_with(ready('I')));
  EXPECT_EQ(witness.events.size(), 2000U);
}

// What is made to fail is sent under it.
TEST(Names, the_links_own_name_is_not_the_clients) {
  for (const std::string text : {R"(declare "heliosproxy session-1" cursor with hold for select 1)",
                                 R"(prepare "heliosproxy session-1" as select 1)",
                                 R"(deallocate "heliosproxy session-1")"}) {
    Witness witness;
    SessionHarness harness(witness.options());
    harness.connect();
    harness.client_sends(query(text));
    EXPECT_EQ(harness.to_server, "") << text;
    EXPECT_NE(harness.to_client.find("this name is the proxy's own"), std::string::npos) << text;
  }
}

// What it runs would meet them, and hooks would not.
TEST(Names, execute_with_changes_of_its_own_is_refused) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(query("prepare p(text) as select 1"));
  harness.server_sends(complete("PREPARE") + ready('I'));
  witness.events.clear();
  harness.client_sends(
      query("select 1; select 2; select 3; execute p(set_config('helios.a', '', false))"));
  EXPECT_THAT(witness.events, testing::ElementsAre("pre select 1", "pre select 2", "pre select 3",
                                                   "post select 1 refused", "post select 2 refused",
                                                   "post select 3 refused"));
  EXPECT_NE(harness.to_client.find("0A000"), std::string::npos);
  EXPECT_EQ(harness.to_server.find("execute"), std::string::npos);
}

TEST(Names, execute_shows_its_own_text_beside_the_prepared_one) {
  std::vector<std::string> own;
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&](hooks::Call& call) {
    own.emplace_back(call.statement->execute_text);
    return hooks::CallResult{};
  };
  Options options;
  options.plugins = {plugin};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("prepare p(int) as select $1"));
  harness.server_sends(complete("PREPARE") + ready('I'));
  harness.client_sends(query("select 1; execute p(2)"));
  EXPECT_THAT(own, testing::ElementsAre("", "execute p(2)"));
}

TEST(Names, execute_of_nobody_fails_in_its_turn) {
  Witness witness;
  const std::string cut = query("select 1; SELECT 1 OPERATOR(pg_catalog./) 0");
  const std::string front = message('D', "row") + complete("SELECT 1");
  const Trace trace = run_every_way(
      witness.options(), {client(query("select 1; execute nosuch; select 2")),
                          server(front + error("22012", "division by zero") + ready('I'))});
  EXPECT_EQ(trace.to_server, cut);
  EXPECT_EQ(trace.to_client,
            front + error("26000", "prepared statement \"nosuch\" does not exist") + ready('I'));
  // An error of what stands in front, or of another kind, is the server's.
  const Trace other =
      run_every_way(witness.options(), {client(query("select 1/0; execute nosuch")),
                                        server(error("22012", "division by zero") + ready('I')),
                                        client(query("select 1; execute nosuch")),
                                        server(front + error("57014", "canceled") + ready('I'))});
  EXPECT_EQ(other.to_client, error("22012", "division by zero") + ready('I') + front +
                                 error("57014", "canceled") + ready('I'));
}

TEST(Names, parse_that_failed_has_ended_the_unnamed_statement) {
  for (const std::string& text : {std::string("selec 1"), std::string("select missing")}) {
    Witness witness;
    SessionHarness harness(witness.options());
    harness.connect();
    harness.client_sends(parse("", "select 'forbidden'") + sync());
    harness.server_sends(parsed() + ready('I'));
    harness.client_sends(parse("", text) + sync());
    harness.server_sends(syntax_error() + ready('I'));
    harness.take_to_server();
    harness.client_sends(query("select 'forbidden'"));
    EXPECT_EQ(harness.to_server, "") << text;  // it ends nothing, so the proxy can say it by itself
  }
}

TEST(Names, that_the_server_may_take_for_another_are_refused) {
  for (const std::string& name : {std::string(64, 'a'), std::string("\xc3\xa9")}) {
    Witness witness;
    SessionHarness harness(witness.options());
    harness.connect();
    harness.client_sends(parse(name, "select 1"));
    EXPECT_EQ(harness.to_server.find("select 1"), std::string::npos);
    EXPECT_EQ(harness.to_server.find(name), std::string::npos);
  }
}

}  // namespace
}  // namespace helios::session::test
