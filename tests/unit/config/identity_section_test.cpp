// SPDX-License-Identifier: Apache-2.0
//
// [[identity.rules]] and [[tenant.rules]]: what arrives, and what is refused, in which words.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string error_of(std::string_view text) {
  auto config = parse_config(text, "h.toml");
  return config ? "no error" : config.error().message;
}

// Of one identity rule with these lines, the first of which is line 2.
std::string error_of_rule(std::string_view lines) {
  return error_of("[[identity.rules]]\n" + std::string(lines) + "\n");
}

TEST(IdentitySection, everything_arrives) {
  const auto config = parse_config(R"(
    [[identity.rules]]
    user = "agent_*"
    database = "shop_*"
    client = "local"
    os_user = "svc-*"
    tenant = "{database*}"
    agent = "{user*}@{os_user*}"
    model = "large"
    roles = ["reader", "two words"]
    set = { "helios.team" = "{user}", "helios.a.b_2" = "{database}/{os_user}" }
    [[identity.rules]]
    client = "10.0.0.0/8"
    agent = "net"
    pinned = false
  )",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->identity.rules.size(), 2U);
  const IdentityRule& rule = config->identity.rules[0];
  EXPECT_EQ(rule.user, "agent_*");
  EXPECT_EQ(rule.database, "shop_*");
  EXPECT_EQ(rule.client.text(), "local");
  EXPECT_EQ(rule.os_user, "svc-*");
  EXPECT_TRUE(rule.pinned);
  EXPECT_FALSE(rule.is_tenant_rule);
  EXPECT_THAT(
      rule.settings,
      ElementsAre(Pair("helios.a.b_2", "{database}/{os_user}"),
                  Pair("helios.agent_id", "{user*}@{os_user*}"), Pair("helios.model_id", "large"),
                  Pair("helios.roles", "reader,two words"), Pair("helios.team", "{user}"),
                  Pair("helios.tenant_id", "{database*}")));
  const IdentityRule& second = config->identity.rules[1];
  EXPECT_EQ(second.user, "*");
  EXPECT_FALSE(second.pinned);
  EXPECT_TRUE(second.client.fits("10.1.2.3"));
}

TEST(IdentitySection, tenant_rules_are_rules_that_set_only_the_tenant) {
  const auto config = parse_config(
      "[[tenant.rules]]\nuser = \"app_*\"\ntenant = \"{*}-{user*}\"\npinned = false\n", "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  IdentityRule expected;
  expected.user = "app_*";
  expected.settings = {{"helios.tenant_id", "{*}-{user*}"}};
  expected.pinned = false;
  expected.is_tenant_rule = true;
  EXPECT_THAT(config->identity.rules, ElementsAre(expected));
}

TEST(IdentitySection, a_file_has_one_kind_of_rules) {
  EXPECT_EQ(error_of("[[tenant.rules]]\ntenant = \"a\"\n[[identity.rules]]\nagent = \"a\"\n"),
            "h.toml:1: tenant.rules: there are [[identity.rules]] as well: write these as "
            "[[identity.rules]], which have the same keys, in the one list whose first rule that "
            "fits counts");
}

TEST(IdentitySection, values_are_made_only_of_what_can_be_filled_in) {
  const auto rule = [](std::string_view keys) {
    return error_of("[[tenant.rules]]\n" + std::string(keys));
  };
  const std::string no_star =
      "h.toml:3: tenant.rules.tenant: nothing fills in {*}: no '*' in database, and none beside "
      "other letters in user";
  const std::string there_are =
      " is no placeholder; there are {user}, {user*}, {database}, {database*}, {os_user}, "
      "{os_user*} and {*}";
  EXPECT_EQ(rule("user = \"app_*\"\ntenant = \"{*}-{user}-{database}\""), "no error");
  EXPECT_EQ(rule("database = \"*\"\ntenant = \"{*}\""), "no error");
  EXPECT_EQ(rule("database = \"shop\"\ntenant = \"x-{*}\""), no_star);
  EXPECT_EQ(rule("database = \"shop\"\ntenant = \"{usr}\""),
            "h.toml:3: tenant.rules.tenant: \"{usr}\"" + there_are);
  EXPECT_EQ(rule("user = \"a\"\ntenant = \"{user\""),
            "h.toml:3: tenant.rules.tenant: \"{user\"" + there_are);
  EXPECT_EQ(rule("user = \"a\"\ntenant = \"\""),
            "h.toml:3: tenant.rules.tenant: must not be empty");
  EXPECT_EQ(rule("user = \"a\""), "h.toml:1: tenant.rules: needs a tenant");
  EXPECT_EQ(error_of_rule("user = \"a\"\nagent = \"{user*}\""),
            "h.toml:3: identity.rules.agent: nothing fills in {user*}: no '*' in user");
  EXPECT_EQ(error_of_rule("database = \"a\"\nmodel = \"{database*}\""),
            "h.toml:3: identity.rules.model: nothing fills in {database*}: no '*' in database");
  EXPECT_EQ(error_of_rule("agent = \"{os_user}\""),
            "h.toml:2: identity.rules.agent: nothing fills in {os_user}: the rule has no os_user");
  EXPECT_EQ(
      error_of_rule("os_user = \"ann\"\nset = { \"helios.x\" = \"{os_user*}\" }"),
      "h.toml:3: identity.rules.set.helios.x: nothing fills in {os_user*}: no '*' in os_user");
}

TEST(IdentitySection, clients_are_said_so_that_some_can_fit) {
  EXPECT_THAT(error_of_rule("client = \"10.1.2.3/8\"\nagent = \"a\""),
              HasSubstr("h.toml:2: identity.rules.client: the address has bits behind its prefix"));
  EXPECT_THAT(
      error_of_rule("client = \"office\"\nagent = \"a\""),
      HasSubstr("h.toml:2: identity.rules.client: must be \"*\", \"local\", an IP address"));
  EXPECT_EQ(
      error_of_rule("client = \"10.0.0.0/8\"\nos_user = \"ann\"\nagent = \"a\""),
      "h.toml:2: identity.rules.client: only clients on the Unix socket have an OS user: write "
      "\"local\", or take os_user away");
  EXPECT_EQ(error_of_rule("user = \"a*b*\"\nagent = \"a\""),
            "h.toml:2: identity.rules.user: may contain only one '*'");
  EXPECT_EQ(error_of_rule("os_user = \"**\"\nagent = \"a\""),
            "h.toml:2: identity.rules.os_user: may contain only one '*'");
}

TEST(IdentitySection, each_setting_is_named_once_and_by_its_own_word) {
  EXPECT_EQ(error_of_rule("user = \"a\""),
            "h.toml:1: identity.rules: sets nothing: give it tenant, agent, model, roles or set");
  EXPECT_EQ(error_of_rule("set = { \"helios.agent_id\" = \"a\" }"),
            "h.toml:2: identity.rules.set.helios.agent_id: is what `agent` sets: write that");
  for (const char* name : {"helios", "helios.", "helios.Team", "helios.1", "helios.a-b",
                           "helios.a.", "work_mem", "helios..a", "xhelios.a"}) {
    EXPECT_THAT(error_of_rule("set = { \"" + std::string(name) + "\" = \"a\" }"),
                HasSubstr("identity.rules.set." + std::string(name) + ": is no name of a setting"))
        << name;
  }
  EXPECT_THAT(error_of_rule("set = { helios.team = \"a\" }"), HasSubstr("in quotes"));
  EXPECT_EQ(error_of_rule("agent = 5"), "h.toml:2: identity.rules.agent: must be a string");
  EXPECT_THAT(error_of_rule("agent = \"a\"\nagents = \"b\""),
              HasSubstr("h.toml:3: identity.rules.agents: unknown key; known here: user, database, "
                        "client, os_user, tenant, agent, model, roles, set, pinned"));
}

TEST(IdentitySection, roles_are_words_that_commas_can_part) {
  const std::string at = "h.toml:2: identity.rules.roles: ";
  EXPECT_EQ(error_of_rule("roles = []"), at + "must name at least one role");
  EXPECT_EQ(error_of_rule("roles = [\"\"]"), at + "a role must not be empty");
  for (const char* role : {"a,b", "{user}", "a}"}) {
    EXPECT_EQ(error_of_rule("roles = [\"" + std::string(role) + "\"]"),
              at + "\"" + role + "\": a role has no comma, no braces and no NUL byte");
  }
  EXPECT_EQ(error_of_rule("roles = \"a\""),
            at + "must be an array of strings\n" + at + "must name at least one role");
}

TEST(IdentitySection, limits_hold) {
  const std::string longest(kMaxRuleTextBytes, 'x');
  EXPECT_EQ(error_of_rule("agent = \"" + longest + "\""), "no error");
  EXPECT_EQ(error_of_rule("agent = \"" + longest + "x\""),
            "h.toml:2: identity.rules.agent: is longer than 256 bytes");
  EXPECT_EQ(error_of_rule("user = \"" + longest + "x\"\nagent = \"a\""),
            "h.toml:2: identity.rules.user: is longer than 256 bytes");
  EXPECT_EQ(error_of_rule("roles = [\"" + longest + "x\"]"),
            "h.toml:2: identity.rules.roles: a role is longer than 256 bytes");
  std::string many;
  for (std::size_t i = 0; i <= kMaxRuleSettings; ++i) {
    many += std::string(i == 0 ? "" : ", ") + "\"helios.s" + std::to_string(i) + "\" = \"x\"";
  }
  EXPECT_EQ(error_of_rule("set = { " + many + " }"),
            "h.toml:1: identity.rules: must not set more than 32 settings");
  std::string rules;
  for (std::size_t i = 0; i < kMaxIdentityRules; ++i) rules += "[[identity.rules]]\nagent=\"a\"\n";
  EXPECT_EQ(error_of(rules), "no error");
  EXPECT_EQ(error_of(rules + "[[identity.rules]]\nagent=\"a\"\n"),
            "h.toml:2001: identity.rules: is one too many: there may be 1000");
}

}  // namespace
}  // namespace helios::config
