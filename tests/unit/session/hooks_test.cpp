// SPDX-License-Identifier: Apache-2.0
// Goal: every statement execution meets its hooks once, with what it needs, and every pre_query gets
// exactly one post_query, before the client sees the end of the answer.
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* name_of(hooks::Outcome outcome) {
  switch (outcome) {
    case hooks::Outcome::executed: return "executed";
    case hooks::Outcome::answered: return "answered";
    case hooks::Outcome::failed: return "failed";
    case hooks::Outcome::refused: return "refused";
    case hooks::Outcome::skipped: return "skipped";
    case hooks::Outcome::lost: return "lost";
    case hooks::Outcome::unknown: return "unknown";
  }
  return "?";
}

struct Recorder {
  std::vector<std::string> events;
  std::shared_ptr<NativePlugin> plugin;

  explicit Recorder(hooks::PluginTraits traits = {.name = "p",
                                                  .has_pre_query = true,
                                                  .has_post_query = true})
      : plugin(std::make_shared<NativePlugin>(traits)) {
    plugin->pre_query = [this](hooks::Call& call) {
      events.push_back("pre " + std::string(call.statement->current_text()));
      return call.statement->text.find("forbidden") == std::string_view::npos ? hooks::CallResult{}
                                                                              : block("no");
    };
    plugin->post_query = [this](hooks::Call& call) {
      events.push_back("post " + std::string(call.statement->text) + " " +
                       name_of(call.statement->outcome));
      return hooks::CallResult{};
    };
  }
};

Options with(std::vector<std::shared_ptr<NativePlugin>> plugins) {
  Options options;
  options.plugins = std::move(plugins);
  return options;
}

TEST(Hooks, each_statement_of_a_message_is_one_execution) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1;; /* two */ select 2;"));
  EXPECT_THAT(recorder.events, ElementsAre("pre select 1", "pre /* two */ select 2"));
  harness.server_sends(complete("SELECT 1") + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(recorder.events,
              ElementsAre("pre select 1", "pre /* two */ select 2", "post select 1 executed",
                          "post /* two */ select 2 executed"));
}

TEST(Hooks, statements_that_manage_the_session_are_left_alone) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("begin; set a.b = 1; show all; listen x; select 1; commit"));
  EXPECT_THAT(recorder.events, ElementsAre("pre select 1"));
}

TEST(Hooks, plugin_that_asks_for_all_statements_sees_them) {
  Recorder recorder({.name = "p", .has_pre_query = true, .all_statements = true});
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("begin; select 1"));
  EXPECT_THAT(recorder.events, ElementsAre("pre begin", "pre select 1"));
}

TEST(Hooks, empty_query_runs_no_hook) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("") + query(" -- nothing"));
  harness.server_sends(message('I', "") + ready('I') + message('I', "") + ready('I'));
  EXPECT_THAT(recorder.events, IsEmpty());
}

TEST(Hooks, error_fails_its_statement_and_skips_the_rest) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1; select 1/0; select 3"));
  recorder.events.clear();
  harness.server_sends(complete("SELECT 1") + error("22012", "division by zero") + ready('I'));
  EXPECT_THAT(recorder.events, ElementsAre("post select 1 executed", "post select 1/0 failed",
                                           "post select 3 skipped"));
}

TEST(Hooks, refused_message_settles_the_statements_that_were_let_through) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1; select forbidden; select 3"));
  EXPECT_THAT(recorder.events,
              ElementsAre("pre select 1", "pre select forbidden", "post select 1 refused",
                          "post select forbidden refused"));
}

TEST(Hooks, lost_connection_settles_what_was_in_flight) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1") + query("select 2"));
  recorder.events.clear();
  harness.client_lost();
  EXPECT_THAT(recorder.events, ElementsAre("post select 1 lost", "post select 2 lost"));
  EXPECT_TRUE(harness.session->finished());
}

// A server that reads COPY data swallows Sync. Whoever waits for an answer to it takes every later
// answer for that of the message before.
TEST(Hooks, sync_before_copy_data_does_not_delay_the_outcome_of_later_statements) {
  const std::string copy_in = message('G', std::string(3, '\0'));
  for (const std::string& client_bytes :
       {query("copy t from stdin") + message('S', "") + message('c', ""),
        query("copy t from stdin") + message('S', "") + message('d', "1\n") + message('c', "")}) {
    Recorder recorder;
    SessionHarness harness(with({recorder.plugin}));
    harness.connect();
    harness.client_sends(client_bytes);
    harness.server_sends(copy_in);
    harness.server_sends(complete("COPY 1") + ready('I'));
    harness.client_sends(query("select 1"));
    harness.server_sends(complete("SELECT 1") + ready('I'));
    EXPECT_THAT(recorder.events,
                ElementsAre("pre copy t from stdin", "post copy t from stdin executed",
                            "pre select 1", "post select 1 executed"));
  }
}

TEST(Hooks, copy_that_was_ended_in_advance_leaves_the_sync_behind_it_its_answer) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("copy t from stdin; copy u from stdin") + message('c', "") +
                       message('S', "") + message('c', "") + message('S', ""));
  const std::string copy_in = message('G', std::string(3, '\0'));
  harness.server_sends(copy_in);
  harness.server_sends(complete("COPY 1") + copy_in);
  harness.server_sends(complete("COPY 1") + ready('I'));
  harness.client_sends(query("select 1"));
  harness.server_sends(ready('I'));  // of the second Sync
  EXPECT_EQ(recorder.events.back(), "pre select 1");
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(recorder.events.back(), "post select 1 executed");
}

TEST(Hooks, sync_in_the_middle_of_copy_data_is_the_servers_to_answer_or_not) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("copy t from stdin"));
  harness.server_sends(message('G', std::string(3, '\0')));
  harness.take_to_server();
  harness.client_sends(message('d', "1\n") + message('S', "") + message('c', ""));
  EXPECT_EQ(harness.to_server, message('d', "1\n") + message('S', "") + message('c', ""));
}

// The client has the first part of a message that answers nothing.
TEST(Hooks, refusal_waits_for_the_rest_of_a_notification) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  const std::string notification = message('A', "a long notification");
  harness.server_sends(notification.substr(0, 10));
  harness.client_sends(query("select forbidden") + message('P', "") + message('S', ""));
  EXPECT_EQ(harness.to_client, notification.substr(0, 10));
  harness.server_sends(notification.substr(10));
  EXPECT_TRUE(harness.to_client.starts_with(notification + "E"));
  EXPECT_TRUE(harness.to_client.ends_with(ready('I')));
}

TEST(Hooks, refusal_by_a_late_hook_waits_for_the_rest_of_a_notification) {
  Recorder recorder;
  Options options = with({recorder.plugin});
  options.pending = true;
  SessionHarness harness(options);
  harness.connect();
  harness.auto_run = false;
  harness.client_sends(query("select forbidden"));
  const std::string notification = message('A', "a long notification");
  harness.server_sends(notification.substr(0, 10));
  harness.run_executors();
  EXPECT_EQ(harness.to_client, notification.substr(0, 10));
  harness.auto_run = true;
  harness.server_sends(notification.substr(10));
  EXPECT_TRUE(harness.to_client.starts_with(notification + "E"));
}

TEST(Hooks, post_query_knows_what_happened) {
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_post_query = true});
  std::vector<hooks::StatementExecution> seen;
  plugin->post_query = [&seen](hooks::Call& call) {
    hooks::StatementExecution copy;
    copy.outcome = call.statement->outcome;
    copy.rows = call.statement->rows;
    copy.command_tag = call.statement->command_tag;
    copy.response_bytes = call.statement->response_bytes;
    copy.duration_ns = call.statement->duration_ns;
    copy.sqlstate = call.statement->sqlstate;
    copy.error_message = call.statement->error_message;
    seen.push_back(std::move(copy));
    return hooks::CallResult{};
  };
  SessionHarness harness(with({plugin}));
  harness.connect();
  harness.client_sends(query("select 1; select 1/0"));
  harness.clock.advance_ms(5);
  const std::string first =
      message('T', "12345") + message('D', "1234567890") + complete("SELECT 3");
  const std::string notice = message('N', "counted too");
  harness.server_sends(first);
  harness.clock.advance_ms(2);
  harness.server_sends(notice + error("22012", "division by zero") + ready('I'));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].outcome, hooks::Outcome::executed);
  EXPECT_EQ(seen[0].rows, 3U);
  EXPECT_EQ(seen[0].command_tag, "SELECT 3");
  EXPECT_EQ(seen[0].response_bytes, first.size());
  EXPECT_EQ(seen[0].duration_ns, 5'000'000);
  EXPECT_EQ(seen[1].outcome, hooks::Outcome::failed);
  EXPECT_EQ(seen[1].duration_ns, 2'000'000);
  EXPECT_EQ(seen[1].response_bytes, (notice + error("22012", "division by zero")).size());
  EXPECT_EQ(seen[1].sqlstate, "22012");
  EXPECT_EQ(seen[1].error_message, "division by zero");
}

// The server keeps small answers back until its buffer is full or the message is over.
TEST(Hooks, duration_of_a_statement_behind_a_set_is_its_own_although_both_ends_arrive_together) {
  for (const bool all : {false, true}) {
    auto plugin = std::make_shared<NativePlugin>(
        hooks::PluginTraits{.name = "p", .has_post_query = true, .all_statements = all});
    std::vector<std::int64_t> durations;
    plugin->post_query = [&durations](hooks::Call& call) {
      durations.push_back(call.statement->duration_ns);
      return hooks::CallResult{};
    };
    SessionHarness harness(with({plugin}));
    harness.connect();
    harness.client_sends(query("set helios.tenant_id = 'acme'; select pg_sleep(1)"));
    harness.clock.advance_ms(1000);
    harness.server_sends(complete("SET") + complete("SELECT 1") + ready('I'));
    const std::vector<std::int64_t> expected = all ? std::vector<std::int64_t>{0, 1'000'000'000}
                                                   : std::vector<std::int64_t>{1'000'000'000};
    EXPECT_EQ(durations, expected);
  }
}

TEST(Hooks, ready_for_query_waits_for_post_query) {
  Recorder recorder;
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1"));
  recorder.plugin->elsewhere = &harness.elsewhere;
  harness.auto_run = false;
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(harness.to_client, "");
  EXPECT_FALSE(harness.session->wants_server_bytes());
  harness.run_executors();
  EXPECT_EQ(harness.to_client, complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(harness.session->wants_server_bytes());
}

TEST(Hooks, failing_pre_query_refuses_under_deny) {
  Recorder recorder;
  recorder.plugin->pre_query = [](hooks::Call&) { return failure("trap: unreachable"); };
  const Trace trace = run_every_way(with({recorder.plugin}), {client(query("select 1"))});
  EXPECT_NE(trace.to_client.find("plugin \"p\" failed (trap: unreachable)"), std::string::npos);
  EXPECT_NE(trace.to_client.find("58000"), std::string::npos);
  EXPECT_EQ(trace.to_server, "");
  EXPECT_THAT(recorder.events, IsEmpty());
}

TEST(Hooks, failing_pre_query_passes_under_allow_and_post_query_still_comes) {
  Recorder recorder({.name = "p",
                     .has_pre_query = true,
                     .has_post_query = true,
                     .on_error = hooks::OnError::allow});
  recorder.plugin->pre_query = [](hooks::Call&) { return failure("trap: unreachable"); };
  SessionHarness harness(with({recorder.plugin}));
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_EQ(harness.to_server, query("select 1"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(recorder.events, ElementsAre("post select 1 executed"));
}

TEST(Hooks, failing_post_query_ends_the_session_under_deny) {
  Recorder recorder;
  recorder.plugin->post_query = [](hooks::Call&) { return failure("timeout"); };
  const Trace trace =
      run_every_way(with({recorder.plugin}),
                    {client(query("select 1")), server(complete("SELECT 1") + ready('I'))});
  EXPECT_TRUE(trace.client_closed);
  EXPECT_EQ(trace.to_client.find(ready('I')), std::string::npos);
  EXPECT_NE(trace.to_client.find("plugin \"p\" failed in post_query"), std::string::npos);
}

TEST(Hooks, failing_post_query_changes_nothing_under_allow) {
  Recorder recorder({.name = "p", .has_post_query = true, .on_error = hooks::OnError::allow});
  recorder.plugin->post_query = [](hooks::Call&) { return failure("timeout"); };
  const Trace trace =
      run_every_way(with({recorder.plugin}),
                    {client(query("select 1")), server(complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_client, complete("SELECT 1") + ready('I'));
}

TEST(Hooks, plugins_run_in_order_and_a_block_ends_the_chain) {
  Recorder first({.name = "b", .order = 1, .has_pre_query = true, .has_post_query = true});
  Recorder second({.name = "a", .order = 2, .has_pre_query = true, .has_post_query = true});
  SessionHarness harness(with({second.plugin, first.plugin}));
  harness.connect();
  harness.client_sends(query("select forbidden"));
  EXPECT_THAT(first.events, ElementsAre("pre select forbidden", "post select forbidden refused"));
  EXPECT_THAT(second.events, IsEmpty());
}

TEST(Hooks, plugin_without_pre_query_hears_of_every_outcome) {
  Recorder gate({.name = "gate", .has_pre_query = true});
  Recorder audit({.name = "audit", .has_post_query = true});
  SessionHarness harness(with({gate.plugin, audit.plugin}));
  harness.connect();
  harness.client_sends(query("select forbidden"));
  EXPECT_THAT(audit.events, ElementsAre("post select forbidden refused"));
}

TEST(Rewrite, runs_instead_and_later_plugins_see_it) {
  Recorder first({.name = "a", .has_pre_query = true});
  first.plugin->pre_query = [](hooks::Call& call) {
    return call.statement->text == "select 2" ? rewrite("select 'two' -- hi") : hooks::CallResult{};
  };
  Recorder second({.name = "b", .has_pre_query = true});
  const Trace trace = run_every_way(with({first.plugin, second.plugin}),
                                    {client(query("select 1; select 2 ; select 3"))});
  EXPECT_EQ(trace.to_server, query("select 1; select 'two' -- hi\n ; select 3"));
  EXPECT_EQ(second.events[1], "pre select 'two' -- hi");
}

TEST(Rewrite, must_be_one_statement) {
  for (const char* text : {"select 1; select 2", "-- nothing", "selec"}) {
    Recorder recorder;
    recorder.plugin->pre_query = [text](hooks::Call&) { return rewrite(text); };
    const Trace trace = run_every_way(with({recorder.plugin}), {client(query("select 1"))});
    EXPECT_EQ(trace.to_server, "") << text;
    EXPECT_NE(trace.to_client.find("not one statement"), std::string::npos) << text;
  }
}

// The plugins that saw the statement before it ran see it afterwards, whatever one of them made of it.
TEST(Rewrite, to_a_statement_that_manages_the_session_still_has_its_post_query) {
  Recorder witness;
  Recorder rewriter({.name = "r", .has_pre_query = true, .has_post_query = true});
  rewriter.plugin->pre_query = [](hooks::Call&) { return rewrite("set helios.tenant_id = 'x'"); };
  SessionHarness harness(with({witness.plugin, rewriter.plugin}));
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.server_sends(complete("SET") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 executed"));
  EXPECT_THAT(rewriter.events, ElementsAre("post select 1 executed"));
}

TEST(Rewrite, of_a_statement_that_manages_the_session_shows_it_to_nobody_else) {
  Recorder witness({.name = "p", .has_post_query = true});
  Recorder rewriter({.name = "r", .has_pre_query = true, .all_statements = true});
  rewriter.plugin->pre_query = [](hooks::Call&) { return rewrite("select 1"); };
  SessionHarness harness(with({witness.plugin, rewriter.plugin}));
  harness.connect();
  harness.client_sends(query("set a.b = 1"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(witness.events, IsEmpty());
}

TEST(Reload, statement_keeps_the_plugins_it_started_with) {
  Recorder old_version;
  Recorder new_version;
  SessionHarness harness(with({old_version.plugin}));
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.set_chain({new_version.plugin});
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(old_version.events, ElementsAre("pre select 1", "post select 1 executed"));
  harness.client_sends(query("select 2"));
  EXPECT_THAT(new_version.events, ElementsAre("pre select 2"));
}

}  // namespace
}  // namespace helios::session::test
