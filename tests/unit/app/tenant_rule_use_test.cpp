// SPDX-License-Identifier: Apache-2.0
//
// Which tenant rules have ever fitted a client, over reloads.

#include "app/tenant_rule_use.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::app {
namespace {

config::TenantRule rule(const std::string& user) {
  return {.user = user, .database = "*", .tenant = "t", .pinned = true};
}

config::Tenant tenant(const std::vector<std::string>& users) {
  config::Tenant tenant;
  for (const auto& user : users) tenant.rules.push_back(rule(user));
  return tenant;
}

std::vector<std::uint64_t> counts(const TenantRuleUse& use) {
  std::vector<std::uint64_t> counts;
  for (const auto& count : use.read()) counts.push_back(count.matches);
  return counts;
}

TEST(TenantRuleUse, rules_that_never_matched_are_zero) {
  TenantRuleUse use(tenant({"a", "b"}));
  use.note_match(rule("b"));
  use.note_match(rule("b"));
  use.note_match(rule("gone"));
  EXPECT_EQ(counts(use), (std::vector<std::uint64_t>{0, 2}));
  std::vector<metrics::Family> families;
  use.metrics_source()(families);
  ASSERT_EQ(families.size(), 1U);
  ASSERT_EQ(families[0].samples.size(), 2U);
  EXPECT_EQ(families[0].samples[0].labels[0].second, "1");
  EXPECT_EQ(families[0].samples[1].value, 2);
}

TEST(TenantRuleUse, rules_that_stay_keep_their_counts) {
  TenantRuleUse use(tenant({"a", "b"}));
  use.note_match(rule("a"));
  use.set_rules(tenant({"c", "a"}));
  EXPECT_EQ(counts(use), (std::vector<std::uint64_t>{0, 1}));
}

}  // namespace
}  // namespace helios::app
