// SPDX-License-Identifier: Apache-2.0
// Goal: which rule is for a client, and what it makes of his names.
#include "session/identity_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session {
namespace {

using testing::ElementsAre;
using testing::Pair;

config::IdentityRule rule(std::string user, std::string database, std::string tenant) {
  config::IdentityRule rule;
  rule.user = std::move(user);
  rule.database = std::move(database);
  rule.settings = {{"helios.tenant_id", std::move(tenant)}};
  return rule;
}

// The value that the first setting gets; "-": no rule fits.
std::string value_for(const config::Identity& rules, const ClientFacts& client) {
  const auto match = match_rules(rules, client);
  return match ? match->settings.at(0).second : "-";
}

TEST(IdentityRules, patterns_and_placeholders) {
  config::Identity rules;
  rules.rules = {rule("*.app", "*", "{*}"), rule("*", "shop_*", "{*}/{user}"),
                 rule("bob", "*", "{database}"), rule("x*y", "z*", "{user*}-{database*}-{*}"),
                 rule("lone*", "q", "{user*}")};
  const auto tenant = [&rules](std::string_view user, std::string_view database) {
    return value_for(rules, {.user = user, .database = database, .ip = "10.1.2.3", .os_user = {}});
  };
  EXPECT_EQ(tenant("acme.app", "x"), "acme");
  EXPECT_EQ(tenant("eve", "shop_7"), "7/eve");
  EXPECT_EQ(tenant("bob", "db"), "db");
  EXPECT_EQ(tenant("x1y", "z2"), "1-2-1");
  EXPECT_EQ(tenant("xy", "z"), "--");
  EXPECT_EQ(tenant("x", "z"), "-");  // one byte cannot be both ends
  EXPECT_EQ(tenant("eve", "other"), "-");
  EXPECT_EQ(tenant("app", "other"), "-");
  EXPECT_EQ(tenant("BOB", "db"), "-");
  EXPECT_EQ(tenant("lone", "q"), "");
}

TEST(IdentityRules, braces_in_a_name_are_letters) {
  config::Identity rules;
  rules.rules = {rule("*.app", "*", "{*}!{user}")};
  EXPECT_EQ(value_for(rules, {.user = "{database}.app", .database = "x", .ip = {}, .os_user = {}}),
            "{database}!{database}.app");
}

TEST(IdentityRules, the_first_that_fits_counts_as_a_whole) {
  config::Identity rules;
  rules.rules = {rule("ann", "*", "first"), rule("*", "*", "rest")};
  rules.rules[1].settings.emplace_back("helios.team", "all");
  const auto match = match_rules(rules, {.user = "ann", .database = "x", .ip = {}, .os_user = {}});
  ASSERT_TRUE(match);
  EXPECT_EQ(match->rule, &rules.rules[0]);
  EXPECT_THAT(match->settings, ElementsAre(Pair("helios.tenant_id", "first")));
}

TEST(IdentityRules, clients_are_told_apart_by_where_they_come_from) {
  config::Identity rules;
  for (const char* client : {"local", "10.0.0.0/8", "2001:db8::/32", "*"}) {
    rules.rules.push_back(rule("*", "*", client));
    rules.rules.back().client = *config::ClientPattern::parse(client);
  }
  const auto place = [&rules](std::string_view ip) {
    return value_for(rules, {.user = "ann", .database = "x", .ip = ip, .os_user = {}});
  };
  EXPECT_EQ(place(""), "local");
  EXPECT_EQ(place("10.9.9.9"), "10.0.0.0/8");
  EXPECT_EQ(place("2001:db8::7"), "2001:db8::/32");
  EXPECT_EQ(place("11.0.0.1"), "*");
}

TEST(IdentityRules, os_user_is_one_whom_the_system_knows) {
  config::Identity rules;
  rules.rules = {rule("*", "*", "{os_user}:{os_user*}"), rule("*", "*", "anybody")};
  rules.rules[0].os_user = "svc-*";
  const auto value = [&rules](std::string_view ip, std::string_view os_user) {
    return value_for(rules, {.user = "ann", .database = "x", .ip = ip, .os_user = os_user});
  };
  EXPECT_EQ(value("", "svc-shop"), "svc-shop:shop");
  EXPECT_EQ(value("", "ann"), "anybody");
  EXPECT_EQ(value("", ""), "anybody");
  EXPECT_EQ(value("10.1.2.3", ""), "anybody");
  rules.rules[0].os_user = "*";
  EXPECT_EQ(value("", "ann"), "ann:ann");
  EXPECT_EQ(value("", ""), "anybody");  // nobody knows who he is
}

TEST(IdentityRules, setters_are_patterns) {
  config::Tenant tenant;
  EXPECT_TRUE(may_set_tenant(tenant, "ann"));
  tenant.setters = {"admin*", "bob"};
  EXPECT_TRUE(may_set_tenant(tenant, "admin7"));
  EXPECT_TRUE(may_set_tenant(tenant, "bob"));
  EXPECT_FALSE(may_set_tenant(tenant, "ann"));
}

}  // namespace
}  // namespace helios::session
