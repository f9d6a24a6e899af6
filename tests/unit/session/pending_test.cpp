// SPDX-License-Identifier: Apache-2.0
// Goal: while a hook is pending the session waits and nothing is lost: cancel, disconnect, reload,
// drain and more input in that moment all end well.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

struct PendingSession {
  int pre_calls = 0;
  std::vector<hooks::Outcome> outcomes;
  std::shared_ptr<NativePlugin> plugin = std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true});
  std::unique_ptr<SessionHarness> harness;

  PendingSession() {
    plugin->pre_query = [this](hooks::Call&) {
      ++pre_calls;
      return hooks::CallResult{};
    };
    plugin->post_query = [this](hooks::Call& call) {
      outcomes.push_back(call.statement->outcome);
      return hooks::CallResult{};
    };
    Options options;
    options.plugins = {plugin};
    options.pending = true;
    harness = std::make_unique<SessionHarness>(options);
    harness->connect();
    harness->auto_run = false;
  }
};

TEST(Pending, nothing_is_forwarded_and_the_client_is_not_read) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  EXPECT_EQ(session.harness->to_server, "");
  EXPECT_FALSE(session.harness->session->wants_client_bytes());
  EXPECT_TRUE(session.harness->session->wants_server_bytes());
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_server, query("select 1"));
  EXPECT_TRUE(session.harness->session->wants_client_bytes());
}

TEST(Pending, more_messages_wait_in_their_order) {
  PendingSession session;
  session.harness->client_sends(query("select 1") + query("select 2"));
  session.harness->client_sends(query("select 3") + message('X', ""));
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_server,
            query("select 1") + query("select 2") + query("select 3") + message('X', ""));
  EXPECT_EQ(session.pre_calls, 3);
}

TEST(Pending, cancel_refuses_the_statement) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->cancel();
  EXPECT_EQ(session.harness->cancels_sent, 0);
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_server, "");
  EXPECT_NE(session.harness->to_client.find("57014"), std::string::npos);
  EXPECT_TRUE(session.harness->to_client.ends_with(ready('I')));
  EXPECT_THAT(session.outcomes, testing::ElementsAre(hooks::Outcome::refused));
}

// Parse is answered with the Sync behind it: the server has nothing to do.
TEST(Pending, cancel_refuses_a_bind_behind_unanswered_messages) {
  PendingSession session;
  session.harness->client_sends(parse("", "select 1") + bind_to("", "") + execute() + sync());
  session.harness->cancel();
  EXPECT_EQ(session.harness->cancels_sent, 0);
  session.harness->run_executors();
  EXPECT_THAT(session.outcomes, testing::ElementsAre(hooks::Outcome::refused));
  session.harness->server_sends(parsed() + syntax_error() + ready('I'));
  EXPECT_NE(session.harness->to_client.find("57014"), std::string::npos);
}

TEST(Pending, cancel_goes_to_the_server_as_well_where_one_of_the_batch_is_at_work) {
  PendingSession session;
  session.harness->client_sends(parse("", "select 1") + bind_to("", "") + execute());
  session.harness->run_executors();
  session.harness->client_sends(parse("", "select 2") + bind_to("", "") + execute());
  session.harness->cancel();
  EXPECT_EQ(session.harness->cancels_sent, 1);
  session.harness->run_executors();
  EXPECT_THAT(session.outcomes, testing::ElementsAre(hooks::Outcome::refused));
}

TEST(Pending, cancel_is_the_servers_while_an_earlier_query_is_to_be_answered) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->run_executors();
  session.harness->client_sends(query("select 2"));
  session.harness->cancel();
  EXPECT_EQ(session.harness->cancels_sent, 1);
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_server, query("select 1") + query("select 2"));
}

TEST(Pending, disconnect_waits_for_the_hook_and_settles_it) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->client_lost();
  EXPECT_FALSE(session.harness->session->finished());
  session.harness->run_executors();
  EXPECT_TRUE(session.harness->session->finished());
  EXPECT_EQ(session.harness->to_server, message('X', ""));
  EXPECT_THAT(session.outcomes, testing::ElementsAre(hooks::Outcome::refused));
}

TEST(Pending, server_end_waits_for_the_hook_and_settles_it) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->server_eof();
  session.harness->run_executors();
  EXPECT_TRUE(session.harness->session->finished());
  EXPECT_EQ(session.outcomes.size(), 1U);
}

TEST(Pending, nothing_follows_the_last_word_of_the_server) {
  PendingSession session;
  session.plugin->pre_query = [](hooks::Call&) {
    hooks::CallResult result;
    result.verdict.action = hooks::Verdict::Action::block;
    result.verdict.text = "no";
    return result;
  };
  session.harness->client_sends(query("select 1") + query("select 2"));
  const std::string fatal = error("57P05", "idle-session timeout", "FATAL");
  session.harness->server_sends(fatal);
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_client, fatal);
  EXPECT_TRUE(session.harness->client_closed);
  EXPECT_TRUE(session.harness->session->finished());
}

TEST(Pending, reload_keeps_the_version_that_was_called) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->set_chain({});
  session.harness->run_executors();
  session.harness->server_sends(complete("SELECT 1") + ready('I'));
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_client, complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.outcomes, testing::ElementsAre(hooks::Outcome::executed));
}

TEST(Pending, drain_lets_the_statement_finish) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->drain(false);
  session.harness->run_executors();
  session.harness->server_sends(complete("SELECT 1") + ready('I'));
  session.harness->run_executors();
  EXPECT_TRUE(session.harness->to_client.starts_with(complete("SELECT 1") + ready('I')));
  EXPECT_NE(session.harness->to_client.find("57P01"), std::string::npos);
  EXPECT_TRUE(session.harness->session->finished());
}

TEST(Pending, forced_drain_still_waits_for_the_hook) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->drain(true);
  EXPECT_TRUE(session.harness->client_closed);
  EXPECT_FALSE(session.harness->session->finished());
  session.harness->run_executors();
  EXPECT_TRUE(session.harness->session->finished());
}

TEST(Pending, post_query_of_one_message_and_pre_query_of_the_next_at_once) {
  PendingSession session;
  session.harness->client_sends(query("select 1"));
  session.harness->run_executors();
  session.harness->server_sends(complete("SELECT 1") + ready('I'));
  session.harness->client_sends(query("select 2"));
  session.harness->run_executors();
  EXPECT_EQ(session.harness->to_client, complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session.harness->to_server, query("select 1") + query("select 2"));
}

TEST(Pending, disconnect_while_post_query_runs) {
  PendingSession session;
  session.harness->client_sends(query("select 1") + query("select 2"));
  session.harness->run_executors();
  session.harness->server_sends(complete("SELECT 1") + ready('I'));
  session.harness->client_lost();
  EXPECT_FALSE(session.harness->session->finished());
  session.harness->run_executors();
  EXPECT_THAT(session.outcomes,
              testing::ElementsAre(hooks::Outcome::executed, hooks::Outcome::lost));
  EXPECT_TRUE(session.harness->session->finished());
}

TEST(Pending, long_text_is_read_elsewhere) {
  PendingSession session;
  const std::string text = "select '" + std::string(sql::kLargeTextBytes, 'x') + "'";
  session.harness->client_sends(query(text));
  EXPECT_EQ(session.pre_calls, 0);
  session.harness->client_lost();
  EXPECT_FALSE(session.harness->session->finished());
  session.harness->run_executors();
  EXPECT_TRUE(session.harness->session->finished());
}

}  // namespace
}  // namespace helios::session::test
