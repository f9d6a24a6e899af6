// SPDX-License-Identifier: Apache-2.0
// Goal: what a session holds is counted, and whoever holds too much is refused or ended; others go on.
#include "session/query_run.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kKib = 1024;
constexpr std::uint64_t kMib = 1024 * kKib;

Options hooked(NativePlugin::Function pre_query = [](hooks::Call&) {
  return hooks::CallResult{};
}) {
  Options options;
  options.config = config::default_config();
  options.config.limits.max_session_memory_kb = 1024;
  auto plugin = std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true});
  plugin->pre_query = std::move(pre_query);
  options.plugins = {plugin};
  return options;
}

std::string query_of(std::size_t bytes) {
  return query("SELECT '" + std::string(bytes, 'x') + "'");
}

TEST(SessionMemory, what_is_held_is_counted_and_given_back) {
  SessionHarness harness(hooked());
  harness.connect();
  const auto idle = harness.environment.memory.here_bytes;
  const std::string text = query_of(200 * kKib);
  harness.client_sends(text.substr(0, text.size() - 1));
  EXPECT_GE(harness.environment.memory.here_bytes, idle + 199 * kKib);
  harness.client_sends(text.substr(text.size() - 1));
  EXPECT_EQ(harness.take_to_server(), text);
  EXPECT_GE(harness.environment.memory.here_bytes, idle + 200 * kKib);  // until it is answered
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_LE(harness.environment.memory.here_bytes, idle + 4 * kKib);
  harness.client_lost();
  harness.session.reset();
  EXPECT_EQ(harness.environment.memory.here_bytes, 0U);
}

TEST(SessionMemory, query_without_room_is_refused_and_the_session_goes_on) {
  SessionHarness harness(hooked());
  harness.connect();
  harness.client_sends(query_of(400 * kKib));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("ERROR"), HasSubstr("53200")));
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_FALSE(harness.client_closed);
  EXPECT_EQ(harness.counters.out_of_memory, 1U);
  harness.client_sends(query("SELECT 1"));
  EXPECT_EQ(harness.take_to_server(), query("SELECT 1"));
}

TEST(SessionMemory, query_that_finds_no_room_among_all_is_refused) {
  SessionHarness harness(hooked());
  harness.environment.memory.elsewhere = [] { return 2000 * kMib; };
  harness.connect();
  harness.client_sends(query_of(100 * kKib));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("ERROR"), HasSubstr("53200")));
  harness.client_sends(query("SELECT 1"));  // whoever needs little goes on
  EXPECT_EQ(harness.take_to_server(), query("SELECT 1"));
}

TEST(SessionMemory, texts_of_plugins_count) {
  SessionHarness harness(hooked(
      [](hooks::Call&) { return rewrite("SELECT '" + std::string(100 * kKib, 'y') + "'"); }));
  harness.connect();
  std::string many;
  for (int i = 0; i < 30; ++i) many += "SELECT 1;";
  harness.client_sends(query(many));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("ERROR"), HasSubstr("53200")));
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_FALSE(harness.client_closed);
}

TEST(SessionMemory, error_of_the_server_that_has_no_room_ends_the_session) {
  SessionHarness harness(hooked());
  harness.connect();
  harness.client_sends(query("SELECT 1"));
  const std::string response = error("XX000", std::string(2 * kMib, 'e'));
  harness.server_sends(response.substr(0, kMib + kKib));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("FATAL"), HasSubstr("53200")));
  EXPECT_TRUE(harness.client_closed);
  EXPECT_TRUE(harness.server_closed);
  EXPECT_TRUE(harness.session->finished());
}

TEST(SessionMemory, backlog_counts) {
  SessionHarness harness(hooked());
  harness.connect();
  harness.session->set_backlog(2 * kMib);
  harness.client_sends(query("SELECT 1"));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("FATAL"), HasSubstr("53200")));
}

TEST(SessionMemory, what_all_hold_is_met_by_those_who_hold_much) {
  struct Case {
    std::size_t backlog;
    std::uint64_t elsewhere;
    bool ended;
  };
  for (const Case& each :
       {Case{10 * kKib, 3000 * kMib, false},   // little
        Case{500 * kKib, 1025 * kMib, false},  // others hold more
        Case{500 * kKib, 1500 * kMib, true},   // but not enough of them
        Case{1025 * kKib, 1025 * kMib, true}, Case{1025 * kKib, 1000 * kMib, false}}) {
    auto options = hooked();
    options.config.limits.max_session_memory_kb = 4096;
    SessionHarness harness(options);
    harness.connect();
    harness.environment.memory.elsewhere = [&each] { return each.elsewhere; };
    harness.session->set_backlog(each.backlog);
    harness.client_sends(query("SELECT 1"));
    EXPECT_EQ(harness.client_closed, each.ended) << each.backlog << " " << each.elsewhere;
  }
}

// What is kept for the next pipeline is no reason to wait for answers that nobody owes.
TEST(SessionMemory, small_session_goes_on_behind_a_long_pipeline) {
  auto options = hooked();
  options.config.limits.max_session_memory_kb = 256;
  SessionHarness harness(options);
  harness.connect();
  constexpr int kSyncs = 3000;
  const std::string sync = message('S', "");
  std::string all;
  for (int i = 0; i < kSyncs; ++i) all += sync;
  harness.client_sends(all);
  std::size_t answered = 0;
  for (std::string sent = harness.take_to_server(); !sent.empty();
       sent = harness.take_to_server()) {
    std::string answers;
    for (std::size_t i = 0; i < sent.size() / sync.size(); ++i) answers += ready('I');
    harness.server_sends(answers);
    answered += harness.take_to_client().size() / ready('I').size();
  }
  EXPECT_EQ(answered, kSyncs);
}

TEST(SessionMemory, pipelined_queries_wait_when_the_unanswered_ones_hold_much) {
  SessionHarness harness(hooked());
  harness.connect();
  const std::string text = query_of(100 * kKib);
  for (int i = 0; i < 3; ++i) harness.client_sends(text);
  EXPECT_FALSE(harness.session->wants_client_bytes());
  EXPECT_EQ(harness.to_server.size(), 3 * text.size());
  harness.client_sends(text);  // may be passed in all the same
  EXPECT_EQ(harness.to_server.size(), 3 * text.size());
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(harness.to_server.size(), 4 * text.size());
  EXPECT_FALSE(harness.client_closed);
}

TEST(SessionMemory, settings_and_savepoints_count) {
  SessionHarness harness(hooked());
  harness.connect();
  const auto idle = harness.environment.memory.here_bytes;
  harness.client_sends(query("SET helios.note = '" + std::string(20 * kKib, 'n') + "'"));
  harness.server_sends(complete("SET") + ready('I'));
  const auto with_setting = harness.environment.memory.here_bytes;
  EXPECT_GE(with_setting, idle + 20 * kKib);
  harness.client_sends(query("BEGIN"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(query("SAVEPOINT s"));
  harness.server_sends(complete("SAVEPOINT") + ready('T'));
  EXPECT_GT(harness.environment.memory.here_bytes, with_setting);
  harness.client_sends(query("ROLLBACK"));
  harness.server_sends(complete("ROLLBACK") + ready('I'));
  EXPECT_LE(harness.environment.memory.here_bytes, with_setting + kKib);
}

TEST(SessionMemory, settings_beyond_their_limit_are_refused) {
  auto options = hooked();
  options.config.limits.max_session_memory_kb = 64 * 1024;
  SessionHarness harness(options);
  harness.connect();
  const std::string value(300 * kKib, 'n');
  int accepted = 0;
  for (; accepted < 10 && harness.to_client.find("53200") == std::string::npos; ++accepted) {
    harness.client_sends(query("SET helios.n" + std::to_string(accepted) + " = '" + value + "'"));
    if (!harness.take_to_server().empty()) harness.server_sends(complete("SET") + ready('I'));
  }
  EXPECT_LE(accepted, 4);
  harness.take_to_client();
  harness.client_sends(query("RESET ALL"));
  harness.server_sends(complete("RESET") + ready('I'));
  harness.client_sends(query("SET helios.n = '" + value + "'"));
  EXPECT_EQ(harness.to_client.find("53200"), std::string::npos);
  EXPECT_FALSE(harness.client_closed);
}

TEST(MessageLimits, message_longer_than_configured_is_fatal_where_nothing_is_hooked_too) {
  Options options;
  options.config = config::default_config();
  options.config.limits.max_message_bytes = 20'000;
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query(std::string(10'000, 'x')));
  harness.client_sends(query(std::string(30'000, 'x')).substr(0, 5));
  EXPECT_FALSE(harness.client_closed);  // the first one has its answer to come
  harness.server_sends(error("42601", "syntax error") + ready('I'));
  EXPECT_THAT(harness.to_client, AllOf(HasSubstr("FATAL"), HasSubstr("54000")));
  EXPECT_TRUE(harness.client_closed);
}

TEST(MessageLimits, query_with_too_many_statements_is_refused_while_plugins_look) {
  auto options = hooked();
  options.config.limits.max_query_statements = 3;
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("SELECT 1; SELECT 2; SELECT 3; SELECT 4"));
  EXPECT_THAT(harness.take_to_client(), AllOf(HasSubstr("ERROR"), HasSubstr("54000")));
  harness.client_sends(query("SELECT 1; SELECT 2; SELECT 3"));
  EXPECT_NE(harness.take_to_server(), "");
}

TEST(MessageLimits, long_query_lets_others_have_their_turn) {
  int calls = 0;
  SessionHarness harness(hooked([&calls](hooks::Call&) {
    ++calls;
    return hooks::CallResult{};
  }));
  harness.connect();
  std::string many;
  for (int i = 0; i < 200; ++i) many += "SELECT 1;";
  harness.auto_run = false;
  harness.client_sends(query(many));
  EXPECT_EQ(calls, static_cast<int>(kStatementsPerTurn));
  EXPECT_EQ(harness.to_server, "");
  harness.run_executors();
  EXPECT_EQ(calls, 200);
  EXPECT_EQ(harness.to_server, query(many));
}

}  // namespace
}  // namespace helios::session::test
