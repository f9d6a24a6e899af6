// SPDX-License-Identifier: Apache-2.0
#include "hooks/chain.hpp"

#include "scripted_plugin.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace helios::hooks {
namespace {

Chain chain_of(std::vector<PluginTraits> all_traits) {
  static test::Calls ignored;
  std::vector<std::shared_ptr<Plugin>> plugins;
  for (PluginTraits& traits : all_traits) {
    plugins.push_back(std::make_shared<test::ScriptedPlugin>(std::move(traits), ignored));
  }
  return Chain(std::move(plugins));
}

std::vector<std::string> names(const Chain& chain) {
  std::vector<std::string> out;
  for (const auto& plugin : chain.plugins()) out.push_back(plugin->traits().name);
  return out;
}

using Names = std::vector<std::string>;

TEST(Chain, smaller_order_runs_first_whatever_the_name) {
  const Chain chain = chain_of({{.name = "a", .order = 10},
                                {.name = "b", .order = -1},
                                {.name = "c", .order = 2},
                                {.name = "d", .order = -20}});
  EXPECT_EQ(names(chain), (Names{"d", "b", "c", "a"}));
}

TEST(Chain, equal_order_is_decided_by_name) {
  const Chain chain =
      chain_of({{.name = "limit"}, {.name = "audit"}, {.name = "cost"}, {.name = "audi"}});
  EXPECT_EQ(names(chain), (Names{"audi", "audit", "cost", "limit"}));
}

TEST(Chain, what_is_first_runs_first_whatever_the_order) {
  const Chain chain = chain_of({{.name = "a", .order = -2000000},
                                {.name = "b", .is_first = true, .order = 5},
                                {.name = "c", .is_first = true, .order = 4}});
  EXPECT_EQ(names(chain), (Names{"c", "b", "a"}));
}

TEST(Chain, without_plugins_asks_for_nothing) {
  const Chain chain({});
  EXPECT_FALSE(chain.has_hooks());
  EXPECT_FALSE(chain.may_deny());
  EXPECT_FALSE(chain.wants_all_statements());
}

TEST(Chain, plugin_without_these_hooks_asks_for_nothing) {
  const Chain chain = chain_of({{.name = "router"}});
  EXPECT_FALSE(chain.has_hooks());
  EXPECT_FALSE(chain.may_deny());
}

TEST(Chain, only_pre_query_may_deny) {
  const Chain after = chain_of({test::post_only("after")});
  EXPECT_TRUE(after.has_hooks());
  EXPECT_FALSE(after.may_deny());
  const Chain before = chain_of({test::post_only("after"), test::pre_only("before")});
  EXPECT_TRUE(before.has_hooks());
  EXPECT_TRUE(before.may_deny());
}

TEST(Chain, one_plugin_is_enough_to_want_all_statements) {
  PluginTraits curious = test::pre_only("curious");
  curious.all_statements = true;
  EXPECT_TRUE(chain_of({test::both("other"), curious}).wants_all_statements());
  EXPECT_FALSE(chain_of({test::both("other")}).wants_all_statements());
}

}  // namespace
}  // namespace helios::hooks
