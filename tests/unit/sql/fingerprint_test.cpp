// SPDX-License-Identifier: Apache-2.0
#include "sql/analyzer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace helios::sql {
namespace {

std::optional<std::uint64_t> of(std::string_view text) { return fingerprint(text, true); }

TEST(Fingerprint, is_the_same_for_texts_that_differ_in_constants_layout_and_comments) {
  const auto expected = of("SELECT a FROM t WHERE b = 1");
  ASSERT_TRUE(expected);
  for (const char* const text :
       {"SELECT a FROM t WHERE b = $$x$$", "select a /* x */ from t where b = E'\\''",
        "SELECT a\n FROM t WHERE b = 1.5 -- end"}) {
    EXPECT_EQ(of(text), expected) << text;
    EXPECT_EQ(of(text), expected) << "the second time: " << text;
  }
  EXPECT_EQ(of("SELECT a FROM t WHERE b IN (1)"), of("SELECT a FROM t WHERE b IN (1, 2, 3)"));
}

TEST(Fingerprint, differs_with_the_statement) {
  EXPECT_NE(of("SELECT a FROM t"), of("SELECT b FROM t"));
  EXPECT_NE(of("SELECT a FROM t"), of("DELETE FROM t"));
}

TEST(Fingerprint, follows_the_reading_rules) {
  const std::string text = R"(SELECT '\', 'a' -- ')";
  EXPECT_NE(fingerprint(text, true), fingerprint(text, false));
}

TEST(Fingerprint, there_is_none_where_the_grammar_cannot_tell) {
  EXPECT_FALSE(of("SELEKT 1"));
  EXPECT_FALSE(of("SELEKT 1"));
  EXPECT_FALSE(of(std::string_view("SELECT 1\0", 9)));
  EXPECT_FALSE(of("SELECT 1 --" + std::string(kLargeTextBytes, 'x')));
}

TEST(Fingerprint, texts_that_push_others_out_keep_their_own) {
  for (int i = 0; i < 3000; ++i)
    ASSERT_EQ(of("SELECT " + std::to_string(i) + " FROM t"), of("SELECT 1 FROM t"));
}

TEST(Fingerprint, is_the_same_on_every_thread) {
  const auto here = of("SELECT a FROM t WHERE b = 7");
  std::optional<std::uint64_t> there;
  std::thread([&there] { there = of("SELECT a FROM t WHERE b = 8"); }).join();
  EXPECT_EQ(here, there);
}

}  // namespace
}  // namespace helios::sql
