// SPDX-License-Identifier: Apache-2.0
#include "kv/namespace_name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::kv {
namespace {

TEST(NamespaceName, aliases_of_one_plugin_are_one_namespace) {
  for (const char* alias : {"cost-governor", "cost_governor", "helios-plugin-cost-governor",
                            "helios_plugin_cost_governor", "helios-plugin_cost-governor"}) {
    EXPECT_EQ(namespace_name(alias), "cost-governor") << alias;
  }
}

TEST(NamespaceName, allowed_characters_are_kept) {
  EXPECT_EQ(namespace_name("Audit.v2-X9"), "Audit.v2-X9");
  EXPECT_EQ(namespace_name("helios"), "helios");
  EXPECT_EQ(namespace_name("helios-plugin"), "helios-plugin");
}

TEST(NamespaceName, result_is_its_own_name) {
  for (const char* name : {"a", "_", "helios_plugin_helios_plugin_x", "x_helios_plugin_y"}) {
    const base::Result<std::string> once = namespace_name(name);
    ASSERT_TRUE(once) << name;
    EXPECT_EQ(namespace_name(*once), *once);
  }
  EXPECT_EQ(namespace_name("helios_plugin_helios_plugin_x"), "x");
}

TEST(NamespaceName, other_characters_are_refused) {
  const std::string with_nul("a\0b", 3);
  for (const std::string& name :
       {std::string(""), std::string("a/b"), std::string("a b"), std::string("\xc3\xa4"),
        std::string("."), std::string(".."), std::string(".hidden"), std::string("helios-plugin-"),
        std::string("helios_plugin_.x"), with_nul}) {
    const base::Result<std::string> refused = namespace_name(name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, base::Errc::invalid);
  }
}

TEST(NamespaceName, length_border) {
  EXPECT_TRUE(namespace_name(std::string(kMaxNamespaceNameBytes, 'a')));
  EXPECT_FALSE(namespace_name(std::string(kMaxNamespaceNameBytes + 1, 'a')));
  EXPECT_TRUE(namespace_name("helios-plugin-" + std::string(kMaxNamespaceNameBytes, 'a')));
}

TEST(NamespaceName, error_shows_a_hostile_name_escaped_and_cut) {
  const base::Result<std::string> refused = namespace_name("\n" + std::string(10'000, '/'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  EXPECT_LT(refused.error().message.size(), 400U);
}

}  // namespace
}  // namespace helios::kv
