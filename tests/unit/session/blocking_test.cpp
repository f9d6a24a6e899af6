// SPDX-License-Identifier: Apache-2.0
// Goal: who is blocked neither gets in nor stays, in whatever state the session is, and nobody else notices.
#include "extended_messages.hpp"
#include "session_harness.hpp"
#include "support/allocation_counter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace helios::session::test {
namespace {

using blocks::Kind;
using testing::HasSubstr;
using testing::Not;

blocks::SharedBlockSet blocks_of(Kind kind, std::string name) {
  static blocks::BlockList all;  // whose sets have different numbers
  blocks::BlockList& list = all;
  EXPECT_TRUE(list.put({.kind = kind, .name = name, .reason = "runs wild"}));
  auto set = list.snapshot();
  list.remove(kind, name);
  return set;
}

std::uint64_t blocked(const SessionHarness& harness, Kind kind) {
  return harness.counters.blocked[static_cast<std::size_t>(kind)];
}

const std::string kFarewell = "terminating connection due to administrator command: ";

// ---- Logins

TEST(BlockedLogin, is_refused_before_the_server_hears_of_it) {
  struct Case {
    Kind kind;
    std::string name;
    std::vector<std::pair<std::string, std::string>> startup;
  };
  const std::vector<Case> cases = {
      {Kind::user, "ann", {{"user", "ann"}, {"database", "shop"}}},
      {Kind::database, "shop", {{"user", "ann"}, {"database", "shop"}}},
      {Kind::database, "ann", {{"user", "ann"}}},
      {Kind::tenant, "acme", {{"user", "ann"}, {"helios.tenant_id", "acme"}}},
      {Kind::tenant, "acme", {{"user", "ann"}, {"options", "-c helios.tenant_id=acme"}}},
      {Kind::agent, "bot", {{"user", "ann"}, {"options", "-c helios.agent_id=bot"}}}};
  for (const auto& [kind, name, startup] : cases) {
    for (const bool is_blocked : {true, false}) {
      SessionHarness harness(Options{});
      harness.environment.blocks = blocks_of(kind, is_blocked ? name : name + "2");
      harness.client_sends(startup_packet(startup));
      EXPECT_EQ(harness.asked_to_connect, !is_blocked) << name;
      EXPECT_EQ(blocked(harness, kind), is_blocked ? 1U : 0U);
      if (!is_blocked) continue;
      EXPECT_THAT(harness.to_client, HasSubstr("FATAL"));
      EXPECT_THAT(harness.to_client, HasSubstr("28000"));
      EXPECT_THAT(harness.to_client, HasSubstr(std::string(blocks::to_word(kind)) + " \"" + name +
                                               "\" is blocked: runs wild. Ask the administrator"));
      EXPECT_TRUE(harness.session->finished());
    }
  }
}

TEST(BlockedLogin, tenant_of_a_rule_or_a_hook_counts) {
  for (const bool is_pinned : {false, true}) {
    Options options;
    options.config.identity.rules = {tenant_rule("*", "acme", is_pinned)};
    SessionHarness harness(options);
    harness.environment.blocks = blocks_of(Kind::tenant, "acme");
    harness.client_sends(startup_packet({{"user", "ann"}}));
    EXPECT_THAT(harness.to_client, HasSubstr("28000"));
  }
  for (const bool pending : {false, true}) {
    auto keeper =
        std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_authenticate = true});
    keeper->authenticate = [](hooks::Call&) {
      hooks::CallResult result;
      result.authentication.action = hooks::AuthenticationVerdict::Action::success;
      result.authentication.identity.tenant_id = "acme";
      return result;
    };
    Options options;
    options.plugins = {keeper};
    options.pending = pending;
    SessionHarness harness(options);
    harness.environment.blocks = blocks_of(Kind::tenant, "acme");
    harness.client_sends(startup_packet({{"user", "ann"}}));
    EXPECT_THAT(harness.to_client, HasSubstr("28000"));
    EXPECT_FALSE(harness.asked_to_connect);
  }
}

// A block that comes while somebody logs in ends that, in every state of it.
TEST(BlockedLogin, is_refused_in_whichever_state_it_is) {
  for (int steps = 0; steps <= 3; ++steps) {
    auto keeper =
        std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_authenticate = true});
    Options options;
    options.plugins = {keeper};
    options.pending = true;
    SessionHarness harness(options);
    harness.auto_run = steps > 1;
    const std::string packet = startup_packet(options.startup);
    harness.client_sends(steps == 0 ? packet.substr(0, packet.size() - 1) : packet);
    if (steps == 3) harness.server_connected();
    const bool has_ended = harness.set_blocks(blocks_of(Kind::user, "ann"));
    EXPECT_EQ(has_ended, steps != 0) << steps;
    if (steps == 0) harness.client_sends(packet.substr(packet.size() - 1));
    harness.auto_run = true;
    harness.run_executors();
    EXPECT_THAT(harness.to_client, HasSubstr("28000")) << steps;
    EXPECT_TRUE(harness.session->finished()) << steps;
    EXPECT_EQ(blocked(harness, Kind::user), 1U) << steps;
  }
}

// ---- Sessions that are there

struct BlockedSession : testing::Test {
  Options options;
  std::unique_ptr<SessionHarness> harness;

  void connect(bool has_plugin) {
    if (has_plugin) {
      options.plugins = {
          std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true})};
    }
    harness = std::make_unique<SessionHarness>(options);
    harness->connect();
  }
  void run(std::string_view text, const std::string& answer) {
    harness->client_sends(query(text));
    harness->server_sends(answer);
  }
  void expect_ended(bool is_cancelled) {
    EXPECT_THAT(harness->take_to_client(), HasSubstr("57P01"));
    EXPECT_TRUE(harness->client_closed);
    EXPECT_TRUE(harness->server_closed);
    EXPECT_EQ(harness->cancels_sent, is_cancelled ? 1 : 0);
    EXPECT_TRUE(harness->session->finished());
  }
};

TEST_F(BlockedSession, idle_one_is_terminated_and_told_why) {
  connect(false);
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::user, "bob")));
  EXPECT_FALSE(harness->set_blocks(nullptr));
  EXPECT_EQ(harness->take_to_client(), "");
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::database, "shop")));
  EXPECT_THAT(harness->to_client, HasSubstr(kFarewell + "database \"shop\" is blocked"));
  expect_ended(false);
}

TEST_F(BlockedSession, what_runs_is_cancelled) {
  connect(false);
  harness->client_sends(query("SELECT pg_sleep(100)"));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::user, "ann")));
  expect_ended(true);
}

TEST_F(BlockedSession, so_it_is_in_a_pipeline_and_in_copy) {
  connect(true);
  harness->client_sends(parse("", "SELECT 1") + bind_to("", "") + execute());
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::user, "ann")));
  expect_ended(true);
  connect(true);
  run("COPY t FROM STDIN", message('G', std::string("\0\0\0", 3)));
  harness->client_sends(message('d', "1\n") + std::string("d\0\0\0\x10half", 9));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::user, "ann")));
  expect_ended(true);
}

TEST_F(BlockedSession, open_transaction_ends_without_a_cancel) {
  connect(false);
  run("BEGIN", complete("BEGIN") + ready('T'));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::user, "ann")));
  expect_ended(false);
}

TEST_F(BlockedSession, hook_that_runs_is_waited_for_and_nothing_goes_out) {
  options.pending = true;
  connect(true);
  harness->auto_run = false;
  harness->client_sends(query("SELECT 1"));
  harness->take_to_server();
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::user, "ann")));
  EXPECT_FALSE(harness->session->finished());
  harness->auto_run = true;
  harness->run_executors();
  EXPECT_THAT(harness->take_to_server(), Not(HasSubstr("SELECT 1")));
  expect_ended(false);
}

TEST_F(BlockedSession, tenant_and_agent_in_force_count) {
  for (const auto& [kind, setting] :
       {std::pair(Kind::tenant, "helios.tenant_id"), std::pair(Kind::agent, "helios.agent_id")}) {
    connect(true);
    run("SET " + std::string(setting) + " = 'x'", complete("SET") + ready('I'));
    EXPECT_FALSE(harness->set_blocks(blocks_of(kind, "y")));
    run("SET " + std::string(setting) + " = 'y'", complete("SET") + ready('I'));
    EXPECT_FALSE(harness->set_blocks(blocks_of(kind, "x")));
    EXPECT_TRUE(harness->set_blocks(blocks_of(kind, "y")));
    expect_ended(false);
  }
}

TEST_F(BlockedSession, what_the_server_has_yet_to_come_to_counts) {
  connect(true);
  harness->client_sends(query("SET helios.agent_id = 'bot'; SELECT pg_sleep(100)"));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  expect_ended(true);
  connect(true);
  harness->client_sends(parse("", "SET helios.agent_id = 'bot'") + bind_to("", "") + execute() +
                        sync());
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "other")));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  expect_ended(true);
}

TEST_F(BlockedSession, what_is_being_judged_counts) {
  options.pending = true;
  connect(true);
  harness->auto_run = false;
  harness->client_sends(query("SET helios.agent_id = 'bot'; SELECT 1"));
  EXPECT_TRUE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  harness->auto_run = true;
  harness->run_executors();
  EXPECT_THAT(harness->take_to_server(), Not(HasSubstr("bot")));
  expect_ended(false);
}

// ---- Statements

struct BlockedStatement : BlockedSession {
  // True: it was refused, and the server has not seen it.
  bool is_refused(std::string_view text) {
    harness->take_to_server();
    harness->take_to_client();
    harness->client_sends(query(text));
    const bool is_refused = harness->to_client.contains("is blocked: runs wild");
    EXPECT_EQ(is_refused, harness->to_client.contains("42501")) << text;
    EXPECT_EQ(is_refused, !harness->to_server.contains(text)) << text;
    return is_refused;
  }
};

TEST_F(BlockedStatement, is_refused_while_the_session_is_somebody_who_is_blocked) {
  for (const bool has_plugin : {false, true}) {
    for (const auto& [kind, setting] :
         {std::pair(Kind::tenant, "helios.tenant_id"), std::pair(Kind::agent, "helios.agent_id")}) {
      connect(has_plugin);
      EXPECT_FALSE(harness->set_blocks(blocks_of(kind, "x")));
      run("SET " + std::string(setting) + " = 'x'", complete("SET") + ready('I'));
      EXPECT_TRUE(is_refused("SELECT 1"));
      EXPECT_TRUE(is_refused("SELECT 2"));
      EXPECT_TRUE(is_refused("BEGIN; SELECT 3"));
      EXPECT_EQ(blocked(*harness, kind), 3U);
      run("SET " + std::string(setting) + " = 'z'", complete("SET") + ready('I'));
      EXPECT_FALSE(is_refused("SELECT 4"));
      harness->server_sends(complete("SELECT 1") + ready('I'));
      EXPECT_TRUE(is_refused("SET " + std::string(setting) + " = 'x'; SELECT 5"));
      EXPECT_FALSE(harness->set_blocks(nullptr));
      EXPECT_FALSE(is_refused("SET " + std::string(setting) + " = 'x'; SELECT 6"));
    }
  }
}

TEST_F(BlockedStatement, portal_is_held_against_it_when_it_is_bound_and_when_it_is_run) {
  for (const bool has_plugin : {false, true}) {
    connect(has_plugin);
    EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
    run("BEGIN", complete("BEGIN") + ready('T'));
    harness->client_sends(parse("s", "SELECT 1") + bind_to("a", "s") + sync());
    harness->server_sends(parsed() + bound() + ready('T'));
    run("SET helios.agent_id = 'bot'", complete("SET") + ready('T'));
    harness->take_to_server();
    harness->client_sends(execute("a") + sync());
    EXPECT_EQ(harness->take_to_server(), refused_parse() + sync());
    harness->server_sends(syntax_error() + ready('E'));
    EXPECT_THAT(harness->take_to_client(), HasSubstr("is blocked: runs wild"));
    run("ROLLBACK", complete("ROLLBACK") + ready('I'));
    run("SET helios.agent_id = 'bot'", complete("SET") + ready('I'));
    harness->take_to_server();
    harness->client_sends(bind_to("b", "s") + sync());
    EXPECT_EQ(harness->take_to_server(), refused_parse() + sync());
  }
}

// Its portal was there before the block, and nobody has followed it.
TEST_F(BlockedStatement, pipeline_that_sets_it_and_runs_on_is_held_until_that_is_known) {
  connect(false);
  harness->client_sends(parse("s", "SELECT 1") + bind_to("a", "s") + flush());
  harness->server_sends(parsed() + bound());
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  harness->take_to_server();
  harness->client_sends(parse("", "SET helios.agent_id = 'bot'") + bind_to("", "") + execute() +
                        execute("a") + sync());
  EXPECT_THAT(harness->to_server, Not(HasSubstr(execute("a"))));
  harness->server_sends(parsed() + bound() + complete("SET"));
  EXPECT_THAT(harness->take_to_server(), HasSubstr(refused_parse()));
}

TEST_F(BlockedStatement, unknown_tenant_or_agent_may_be_the_one) {
  options.config.kv_sql.readers = {
      "somebody"};  // so texts are read, and no plugin objects to an unknown tenant
  for (const Kind kind : {Kind::tenant, Kind::agent}) {
    connect(false);
    run("SELECT set_config('helios.agent_id', f(), false)", complete("SELECT 1") + ready('I'));
    EXPECT_FALSE(harness->set_blocks(blocks_of(kind, "x")));
    harness->take_to_client();
    harness->client_sends(query("SELECT 1"));
    const std::string word(blocks::to_word(kind));
    EXPECT_THAT(harness->take_to_client(), HasSubstr("nobody knows the " + word));
    run("SET helios." + word + "_id = 'known'", complete("SET") + ready('I'));
    EXPECT_FALSE(is_refused("SELECT 2"));
  }
}

// Of what passed before anybody was blocked, where nobody read it, nothing is known: nobody else is to pay for that.
TEST_F(BlockedStatement, session_that_nobody_has_read_goes_on_and_is_read_from_then_on) {
  connect(false);
  run("SELECT 1", complete("SELECT 1") + ready('I'));
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  EXPECT_FALSE(is_refused("SELECT 2"));
  harness->server_sends(complete("SELECT 1") + ready('I'));
  run("SET helios.agent_id = 'bot'", complete("SET") + ready('I'));
  EXPECT_TRUE(is_refused("SELECT 3"));
}

TEST_F(BlockedStatement, long_message_that_nobody_reads_is_held_against_what_is_known) {
  options.config.protocol.max_query_bytes = 100;
  connect(false);
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  const std::string text = "SELECT '" + std::string(200, 'x') + "'";
  EXPECT_FALSE(is_refused(text));
  harness->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_FALSE(is_refused("SELECT 1"));
  harness->server_sends(complete("SELECT 1") + ready('I'));
  run("SET helios.agent_id = 'bot'", complete("SET") + ready('I'));
  EXPECT_TRUE(is_refused(text));
}

TEST_F(BlockedStatement, looking_at_others_allocates_nothing) {
  connect(true);
  run("SET helios.agent_id = 'a good one'", complete("SET") + ready('I'));
  EXPECT_FALSE(harness->set_blocks(blocks_of(Kind::agent, "bot")));
  Actions actions;
  const std::string question = query("select abalance from pgbench_accounts where aid = 1");
  const std::string answer = complete("SELECT 1") + ready('I');
  const auto exchange = [&] {
    harness->session->on_client_bytes(question, actions);
    actions.clear();
    harness->session->on_server_bytes(answer, actions);
    actions.clear();
  };
  for (int i = 0; i < 50; ++i) exchange();
  const std::size_t before = helios::test::allocation_count();
  for (int i = 0; i < 50; ++i) exchange();
  EXPECT_EQ(helios::test::allocation_count(), before);
}

// The server would call the input functions of their constants.
TEST(BlockedStatements, text_of_who_is_blocked_is_not_even_read_by_the_server) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.environment.blocks = blocks_of(Kind::agent, "bot");
  harness.client_sends(query("SET helios.agent_id = 'bot'"));
  harness.server_sends(complete("SET") + ready('I'));
  harness.take_to_server();
  harness.client_sends(parse("s", "SELECT '{}'::d[]") + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("agent \"bot\" is blocked"));
  harness.client_sends(query("PREPARE p AS SELECT '{}'::d[]"));
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_THAT(harness.take_to_client(), HasSubstr("agent \"bot\" is blocked"));
  harness.client_sends(parse("s", "SET helios.agent_id = ''") + sync());
  EXPECT_EQ(harness.take_to_server(), parse("s", "SET helios.agent_id = ''") + sync());
}

}  // namespace
}  // namespace helios::session::test
