// SPDX-License-Identifier: Apache-2.0
//
// Which identity rules have ever fitted a client, over reloads.

#include "app/identity_rule_use.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::app {
namespace {

config::IdentityRule rule(const std::string& user, bool is_tenant_rule = false) {
  config::IdentityRule rule;
  rule.user = user;
  rule.settings = {{"helios.tenant_id", "t"}};
  rule.is_tenant_rule = is_tenant_rule;
  return rule;
}

config::Identity rules_for(const std::vector<std::string>& users) {
  config::Identity identity;
  for (const auto& user : users) identity.rules.push_back(rule(user));
  return identity;
}

std::vector<std::uint64_t> counts(const IdentityRuleUse& use) {
  std::vector<std::uint64_t> counts;
  for (const auto& count : use.read()) counts.push_back(count.matches);
  return counts;
}

TEST(IdentityRuleUse, rules_that_never_matched_are_zero) {
  IdentityRuleUse use(rules_for({"a", "b"}));
  use.note_match(rule("b"));
  use.note_match(rule("b"));
  use.note_match(rule("gone"));
  EXPECT_EQ(counts(use), (std::vector<std::uint64_t>{0, 2}));
  std::vector<metrics::Family> families;
  use.metrics_source()(families);
  ASSERT_EQ(families.size(), 2U);
  ASSERT_EQ(families[0].samples.size(), 2U);
  EXPECT_EQ(families[0].samples[0].labels[0].second, "1");
  EXPECT_EQ(families[0].samples[1].value, 2);
  EXPECT_EQ(families[0].samples[1].labels.back(),
            (std::pair<std::string, std::string>{"sets", "helios.tenant_id=t"}));
  EXPECT_TRUE(families[1].samples.empty());
}

TEST(IdentityRuleUse, tenant_rules_count_in_both_families) {
  config::Identity identity;
  identity.rules = {rule("a", true)};
  IdentityRuleUse use(identity);
  use.note_match(rule("a", true));
  std::vector<metrics::Family> families;
  use.metrics_source()(families);
  ASSERT_EQ(families.size(), 2U);
  for (const metrics::Family& family : families) {
    ASSERT_EQ(family.samples.size(), 1U);
    EXPECT_EQ(family.samples[0].value, 1);
  }
  EXPECT_EQ(families[1].samples[0].labels.back(),
            (std::pair<std::string, std::string>{"tenant", "t"}));
}

TEST(IdentityRuleUse, rules_that_stay_keep_their_counts) {
  IdentityRuleUse use(rules_for({"a", "b"}));
  use.note_match(rule("a"));
  use.set_rules(rules_for({"c", "a"}));
  EXPECT_EQ(counts(use), (std::vector<std::uint64_t>{0, 1}));
}

}  // namespace
}  // namespace helios::app
