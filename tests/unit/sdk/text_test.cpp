// SPDX-License-Identifier: Apache-2.0

#include "helios/text.hpp"

#include "helios/plugin.hpp"

#include <gtest/gtest.h>

namespace helios::plugin {
namespace {

TEST(String, Append_GrowsAndKeepsContents) {
  String text;
  for (int i = 0; i < 1000; ++i) text.append(static_cast<char>('a' + i % 26));
  EXPECT_EQ(text.size(), 1000U);
  for (size_t i = 0; i < text.size(); ++i) ASSERT_EQ(text[i], static_cast<char>('a' + i % 26));
}

TEST(String, CopyAndMove_OwnTheirBytes) {
  String first = "state";
  String copy = first;
  const String moved = static_cast<String&&>(first);
  copy.append('!');
  EXPECT_TRUE(moved == "state");
  EXPECT_TRUE(copy == "state!");
}

TEST(String, NulBytes_AreBytes) {
  const String text = StringView("a\0b", 3);
  EXPECT_EQ(text.size(), 3U);
  EXPECT_FALSE(text == "a");
}

TEST(StringView, Part_LeavesOutWhatLiesOutside) {
  const StringView text = "tenant";
  EXPECT_TRUE(text.part(3) == "ant");
  EXPECT_TRUE(text.part(3, 2) == "an");
  EXPECT_TRUE(text.part(9).empty());
  EXPECT_TRUE(text.starts_with("ten"));
  EXPECT_FALSE(text.starts_with("tenants"));
}

TEST(Concat, Parts_AreJoined) {
  EXPECT_TRUE(concat("tenant:", String("acme"), StringView(":usage")) == "tenant:acme:usage");
  EXPECT_TRUE(concat("") == "");
}

}  // namespace
}  // namespace helios::plugin
