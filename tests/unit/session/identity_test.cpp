// SPDX-License-Identifier: Apache-2.0
// Goal: what a rule or a hook says of a session is what plugins and blocks go by, whatever its client sends.
#include "extended_messages.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace helios::session::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

using Attributes = std::vector<std::pair<std::string, std::string>>;

config::IdentityRule agent_rule() {
  config::IdentityRule rule;
  rule.user = "ann*";
  rule.settings = {{"helios.agent_id", "bot-7"},
                   {"helios.model_id", "large"},
                   {"helios.roles", "reader,writer"},
                   {"helios.team", "{database}"}};
  return rule;
}

// A plugin that writes down what it is told.
struct Listener {
  Attributes at_login;
  Attributes at_statement;
  std::optional<std::string> tenant;
  hooks::AuthenticationVerdict verdict;
  std::shared_ptr<NativePlugin> plugin;
  Options options;

  explicit Listener(bool authenticates = false)
      : plugin(std::make_shared<NativePlugin>(hooks::PluginTraits{
            .name = "p", .has_authenticate = authenticates, .has_pre_query = true})) {
    plugin->authenticate = [this](hooks::Call& call) {
      at_login = call.authentication->attributes;
      hooks::CallResult result;
      result.authentication = verdict;
      return result;
    };
    plugin->pre_query = [this](hooks::Call& call) {
      at_statement = call.statement->context->attributes;
      tenant = call.statement->context->tenant_id;
      return hooks::CallResult{};
    };
    options.plugins = {plugin};
  }
};

Options with_rule(config::IdentityRule rule) {
  Options options;
  options.config.identity.rules = {std::move(rule)};
  return options;
}

TEST(Identity, plugins_see_what_a_rule_sets_at_every_hook) {
  for (const bool pending : {false, true}) {
    Listener listener(true);
    listener.options.pending = pending;
    listener.options.config.identity.rules = {agent_rule()};
    SessionHarness harness(listener.options);
    harness.connect();
    harness.client_sends(query("select 1"));
    for (const Attributes& seen : {listener.at_login, listener.at_statement}) {
      EXPECT_THAT(seen,
                  AllOf(Contains(Pair("agent_id", "bot-7")), Contains(Pair("model_id", "large")),
                        Contains(Pair("helios.agent_id", "bot-7")),
                        Contains(Pair("helios.roles", "reader,writer")),
                        Contains(Pair("identity.roles", "reader,writer")),
                        Contains(Pair("helios.team", "shop")), Not(Contains(Key("tenant_id")))));
    }
  }
}

TEST(Identity, server_is_not_told_what_a_rule_sets) {
  SessionHarness harness(with_rule(agent_rule()));
  const std::string packet = startup_packet({{"user", "ann"}, {"database", "shop"}});
  harness.client_sends(packet);
  harness.server_connected();
  EXPECT_EQ(harness.take_to_server(), packet);
}

TEST(Identity, client_cannot_change_what_is_fixed) {
  const std::vector<Step> steps = [] {
    std::vector<Step> all;
    for (const char* text : {"set helios.agent_id = 'x'", "set local \"HELIOS.agent_id\" = 'x'",
                             "select set_config('helios.model_id', 'x', false)",
                             "select 1; set helios.roles = 'admin'",
                             "select set_config(n, v, true) from t", "set helios.team = 'x'"}) {
      all.push_back(client(query(text)));
    }
    return all;
  }();
  const Trace trace = run_every_way(with_rule(agent_rule()), steps);
  EXPECT_EQ(trace.to_server, "");
  std::size_t refusals = 0;
  for (std::size_t at = 0; (at = trace.to_client.find("42501", at)) != std::string::npos; ++at)
    ++refusals;
  EXPECT_EQ(refusals, steps.size());
  EXPECT_THAT(
      trace.to_client,
      HasSubstr("helios.agent_id of user \"ann\" is fixed to \"bot-7\" and cannot be changed"));
  EXPECT_THAT(trace.to_client,
              HasSubstr("(helios.agent_id, helios.model_id, helios.roles, helios.team), "
                        "and the proxy cannot read whether it does"));
}

TEST(Identity, client_cannot_bring_another_value_when_connecting) {
  const auto refusal_of = [](std::vector<std::pair<std::string, std::string>> packet) {
    SessionHarness harness(with_rule(agent_rule()));
    packet.emplace_back("user", "ann");
    packet.emplace_back("database", "shop");
    harness.client_sends(startup_packet(packet));
    EXPECT_NE(harness.asked_to_connect, harness.to_client.contains("42501"));
    return !harness.asked_to_connect;
  };
  EXPECT_TRUE(refusal_of({{"helios.agent_id", "x"}}));
  EXPECT_TRUE(refusal_of({{"HELIOS.Agent_ID", "x"}}));
  EXPECT_TRUE(refusal_of({{"options", "-c helios.agent_id=x"}}));
  EXPECT_TRUE(refusal_of({{"options", "--helios.agent-id=x"}}));
  EXPECT_TRUE(refusal_of({{"options", "-c helios.tenant_id=a -chelios.roles=admin"}}));
  EXPECT_FALSE(refusal_of({{"options", "-c helios.agent_id=bot-7"}}));
  EXPECT_FALSE(refusal_of({{"options", "-c helios.tenant_id=a"}}));
}

TEST(Identity, parameters_are_no_way_around_it) {
  for (const auto& [value, is_refused] : {std::pair("bot-8", true), std::pair("bot-7", false)}) {
    SessionHarness harness(with_rule(agent_rule()));
    harness.connect();
    harness.client_sends(parse("s", "select set_config('helios.agent_id', $1, false)") + sync());
    harness.server_sends(parsed() + ready('I'));
    harness.take_to_server();
    harness.take_to_client();
    harness.client_sends(bind_to("a", "s", {value}) + sync());
    EXPECT_EQ(harness.to_server.contains(value), !is_refused);
    if (!is_refused) continue;
    harness.server_sends(syntax_error() + ready('I'));
    EXPECT_THAT(harness.to_client, AllOf(HasSubstr("42501"), HasSubstr("is fixed to \"bot-7\"")));
  }
}

TEST(Identity, what_is_not_fixed_stays_the_clients) {
  Listener listener;
  listener.options.config.identity.rules = {agent_rule()};
  SessionHarness harness(listener.options);
  harness.connect();
  harness.client_sends(
      query("set helios.tenant_id = 'acme'; set helios.color = 'red'; reset all; "
            "set helios.tenant_id = 'globex'; discard all; "
            "set helios.tenant_id = 'acme'; set helios.agent_id = 'bot-7'; select 1"));
  EXPECT_NE(harness.take_to_server(), "");
  EXPECT_EQ(listener.tenant, "acme");
  EXPECT_THAT(listener.at_statement, Contains(Pair("agent_id", "bot-7")));
}

TEST(Identity, start_values_of_a_rule_that_does_not_pin_give_way) {
  Listener listener;
  listener.options.config.identity.rules = {agent_rule()};
  listener.options.config.identity.rules[0].pinned = false;
  listener.options.startup.emplace_back("options", "-c helios.model_id=small");
  SessionHarness harness(listener.options);
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_THAT(listener.at_statement,
              AllOf(Contains(Pair("agent_id", "bot-7")), Contains(Pair("model_id", "small")),
                    Not(Contains(Key("identity.roles")))));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.client_sends(query("set helios.agent_id = 'mine'; select 1"));
  EXPECT_THAT(listener.at_statement, Contains(Pair("agent_id", "mine")));
}

TEST(Identity, hook_counts_before_a_rule_and_a_rule_before_a_setting) {
  for (const bool names_roles : {false, true}) {
    Listener listener(true);
    listener.verdict.action = hooks::AuthenticationVerdict::Action::success;
    listener.verdict.identity = {
        .user_id = "7", .username = "ann", .roles = {}, .tenant_id = "of-hook"};
    if (names_roles) listener.verdict.identity.roles = {"auditor", "guest"};
    config::IdentityRule rule = agent_rule();
    rule.settings.emplace_back("helios.tenant_id", "of-rule");
    listener.options.config.identity.rules = {rule};
    SessionHarness harness(listener.options);
    harness.connect();
    harness.client_sends(query("select 1"));
    EXPECT_THAT(listener.at_login, Contains(Pair("tenant_id", "of-rule")));
    EXPECT_EQ(listener.tenant, "of-hook");
    const std::string roles = names_roles ? "auditor,guest" : "reader,writer";
    EXPECT_THAT(listener.at_statement,
                AllOf(Contains(Pair("identity.roles", roles)),
                      Contains(Pair("helios.roles", roles)), Contains(Pair("agent_id", "bot-7"))));
  }
}

TEST(Identity, rules_of_another_user_do_not_count) {
  SessionHarness harness(with_rule(agent_rule()));
  harness.client_sends(startup_packet({{"user", "bob"}, {"database", "shop"}}));
  harness.server_connected();
  harness.server_sends(server_greeting());
  harness.take_to_server();
  harness.client_sends(query("set helios.agent_id = 'x'"));
  EXPECT_THAT(harness.take_to_server(), HasSubstr("helios.agent_id"));
}

TEST(Identity, os_user_of_a_unix_socket_is_one_of_its_names) {
  Listener listener;
  config::IdentityRule rule = identity_rule("*", "helios.agent_id", "{os_user*}");
  rule.os_user = "svc-*";
  rule.client = *config::ClientPattern::parse("local");
  listener.options.config.identity.rules = {rule};
  listener.options.os_user = OsUser{.uid = 1001, .pid = 42, .name = "svc-shop"};
  SessionHarness harness(listener.options);
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_THAT(listener.at_statement, Contains(Pair("agent_id", "shop")));
}

TEST(Identity, what_nobody_reads_is_refused) {
  Options options = with_rule(agent_rule());
  options.config.protocol.max_query_bytes = 1024;
  options.config.protocol.function_call = config::Policy::allow;
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(parse("", "set helios.agent_id = 'x' --" + std::string(2000, 'x')) + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(harness.to_client,
              AllOf(HasSubstr("42501"), HasSubstr("cannot read whether it does")));
}

TEST(Identity, blocked_agents_of_rules_do_not_get_in) {
  blocks::BlockList list;
  ASSERT_TRUE(list.put({.kind = blocks::Kind::agent, .name = "bot-7", .reason = "runs wild"}));
  for (const bool is_pinned : {false, true}) {
    Options options = with_rule(agent_rule());
    options.config.identity.rules[0].pinned = is_pinned;
    SessionHarness harness(options);
    harness.environment.blocks = list.snapshot();
    harness.client_sends(startup_packet({{"user", "ann"}, {"database", "shop"}}));
    EXPECT_FALSE(harness.asked_to_connect);
    EXPECT_THAT(harness.to_client,
                AllOf(HasSubstr("28000"), HasSubstr("agent \"bot-7\" is blocked")));
  }
}

TEST(Identity, block_of_an_agent_meets_the_one_that_is_fixed) {
  blocks::BlockList list;
  ASSERT_TRUE(list.put({.kind = blocks::Kind::agent, .name = "other", .reason = "runs wild"}));
  SessionHarness harness(with_rule(agent_rule()));
  harness.connect();
  EXPECT_FALSE(harness.set_blocks(list.snapshot()));
  ASSERT_TRUE(list.put({.kind = blocks::Kind::agent, .name = "bot-7", .reason = "runs wild"}));
  EXPECT_TRUE(harness.set_blocks(list.snapshot()));
  EXPECT_THAT(harness.to_client, HasSubstr("agent \"bot-7\" is blocked"));
}

TEST(Identity, setters_close_the_tenant_alone) {
  Options options;
  options.config.tenant.setters = {"admin*"};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("set helios.tenant_id = 'x'"));
  EXPECT_EQ(harness.take_to_server(), "");
  EXPECT_THAT(harness.take_to_client(),
              HasSubstr("may not set helios.tenant_id ([tenant] setters)"));
  harness.client_sends(query("set helios.agent_id = 'x'"));
  EXPECT_NE(harness.take_to_server(), "");
}

TEST(TenantRules, pinned_user_cannot_choose_another) {
  SessionHarness harness(with_rule(tenant_rule("ann", "acme")));
  harness.connect();
  for (const char* text : {"set helios.tenant_id = 'x'", "set local helios.tenant_id = 'x'",
                           "select set_config('helios.tenant_id', 'x', false)",
                           "select set_config(n, v, true) from t"}) {
    harness.client_sends(query(text));
    EXPECT_EQ(harness.take_to_server(), "") << text;
    EXPECT_NE(harness.take_to_client().find("42501"), std::string::npos) << text;
  }
  harness.client_sends(query("set helios.tenant_id = 'acme'"));
  EXPECT_NE(harness.take_to_server(), "");
}

TEST(TenantRules, start_value_of_a_rule_gives_way_to_the_clients) {
  Listener listener;
  listener.options.config.identity.rules = {tenant_rule("ann", "base", false)};
  SessionHarness harness(listener.options);
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_EQ(listener.tenant, "base");
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.client_sends(query("set helios.tenant_id = 'mine'; select 1"));
  EXPECT_EQ(listener.tenant, "mine");
}

// A conversation of statements that set what is fixed and what is not, in every spelling, in blocks that commit, roll back and
// fail. Whatever happens: what is fixed is told at every statement, and no text that names it with another value goes out.
TEST(Identity, random_conversations_never_move_what_is_fixed) {
  struct Spelling {
    const char* text;
    bool is_refused;
    const char* tag;
  };
  const std::vector<Spelling> spellings = {
      {"set helios.agent_id = 'evil'", true, ""},
      {"set local helios.agent_id = 'evil'", true, ""},
      {"select set_config('helios.agent_id', 'evil', false)", true, ""},
      {"prepare p as select set_config('helios.agent_id', 'evil', false)", true, ""},
      {"select set_config(evil, 'x', false) from t", true, ""},
      {"do $$ begin perform set_config('helios.agent_id', 'evil', true); end $$", true, ""},
      {"set helios.agent_id = 'bot-7'", false, "SET"},
      {"set helios.tenant_id = 'acme'", false, "SET"},
      {"set local helios.tenant_id = 'globex'", false, "SET"},
      {"reset helios.agent_id", false, "RESET"},
      {"select 1", false, "SELECT 1"},
  };
  std::mt19937 random(2026);
  int told = 0;
  for (int conversation = 0; conversation < 100; ++conversation) {
    Listener listener;
    listener.options.pending = random() % 2 == 0;
    listener.options.config.identity.rules = {agent_rule()};
    SessionHarness harness(listener.options);
    harness.connect();
    bool in_block = false;
    for (int step = 0; step < 30; ++step) {
      harness.take_to_server();
      harness.take_to_client();
      listener.at_statement.clear();
      if (random() % 4 == 0) {
        const char* end = random() % 2 == 0 ? "COMMIT" : "ROLLBACK";
        harness.client_sends(query(in_block ? end : "BEGIN"));
        ASSERT_NE(harness.take_to_server(), "");
        harness.server_sends(complete(in_block ? end : "BEGIN") + ready(in_block ? 'I' : 'T'));
        in_block = !in_block;
        continue;
      }
      const Spelling& spelling = spellings[random() % spellings.size()];
      harness.client_sends(query(spelling.text));
      ASSERT_FALSE(harness.to_server.contains("evil")) << harness.to_server;
      if (spelling.is_refused) {
        // In a block the server is made to fail in its place.
        if (in_block) harness.server_sends(syntax_error() + ready('E'));
        ASSERT_TRUE(harness.to_client.contains("42501")) << spelling.text << harness.to_client;
        if (!std::exchange(in_block, false)) continue;
        harness.client_sends(query("ROLLBACK"));
        harness.server_sends(complete("ROLLBACK") + ready('I'));
        continue;
      }
      ASSERT_FALSE(harness.to_client.contains("42501")) << spelling.text << harness.to_client;
      if (!listener.at_statement.empty()) {
        ++told;
        ASSERT_THAT(listener.at_statement, AllOf(Contains(Pair("agent_id", "bot-7")),
                                                 Contains(Pair("helios.agent_id", "bot-7"))));
      }
      harness.server_sends(complete(spelling.tag) + ready(in_block ? 'T' : 'I'));
    }
  }
  EXPECT_GT(told, 100);
}

}  // namespace
}  // namespace helios::session::test
