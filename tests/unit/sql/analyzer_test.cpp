// SPDX-License-Identifier: Apache-2.0
//
// Which way a text takes through the analyzer, and the cache's bounds.

#include "sql/cache.hpp"
#include "unit/sql/sql_test_support.hpp"

#include <gtest/gtest.h>

namespace helios::sql {
namespace {

TEST(Analyzer, plain_text_is_not_parsed) {
  Analyzer analyzer({});
  const auto analysis = analyzer.analyze("  select 1 ; ", {});
  EXPECT_TRUE(analysis->parsed);
  ASSERT_EQ(analysis->statements.size(), 1U);
  EXPECT_EQ(analysis->statements[0].begin, 2U);
  EXPECT_EQ(analysis->statements[0].end, 10U);
  EXPECT_TRUE(analysis->statements[0].is_read_only);
  EXPECT_EQ(analyzer.counters().prefiltered, 1U);
  EXPECT_EQ(analyzer.counters().misses, 0U);
}

TEST(Analyzer, plain_analyses_stay_as_they_were_given_out) {
  Analyzer analyzer({});
  const auto first = analyzer.analyze("select 1", {});
  const auto second = analyzer.analyze(" select 1", {});
  const auto third = analyzer.analyze("delete 1", {});
  const std::string long_text = "select " + std::string(1 + 256, '1');  // same slot as the first
  const auto fourth = analyzer.analyze(long_text, {});
  EXPECT_EQ(first->statements[0].end, 8U);
  EXPECT_EQ(first->statements[0].begin, 0U);
  EXPECT_TRUE(first->statements[0].is_read_only);
  EXPECT_EQ(second->statements[0].begin, 1U);
  EXPECT_FALSE(third->statements[0].is_read_only);
  EXPECT_EQ(fourth->statements[0].end, long_text.size());
  EXPECT_EQ(analyzer.counters().prefiltered, 4U);
}

TEST(Analyzer, second_look_at_a_text_is_a_hit) {
  Analyzer analyzer({});
  const auto first = analyzer.analyze("begin; select 1", {});
  EXPECT_EQ(first->statements.size(), 2U);
  EXPECT_EQ(analyzer.analyze("begin; select 1", {}), first);
  EXPECT_EQ(analyzer.counters().misses, 1U);
  EXPECT_EQ(analyzer.counters().hits, 1U);
}

TEST(Analyzer, errors_are_cached_too) {
  Analyzer analyzer({});
  EXPECT_FALSE(analyzer.analyze("begn", {})->parsed);
  EXPECT_FALSE(analyzer.analyze("begn", {})->parsed);
  EXPECT_EQ(analyzer.counters().hits, 1U);
}

TEST(Analyzer, rules_are_part_of_the_key) {
  Analyzer analyzer({});
  const char* text = "select 'a\\'; select 2; --'";
  EXPECT_EQ(analyzer.analyze(text, {})->statements.size(), 2U);
  EXPECT_EQ(analyzer.analyze(text, backslash_rules())->statements.size(), 1U);
  EXPECT_EQ(analyzer.analyze(text, {})->statements.size(), 2U);
}

TEST(Analyzer, unsafe_encoding_never_passes_the_prefilter) {
  Analyzer analyzer({});
  EXPECT_FALSE(analyzer.analyze("select 1", {.encoding_is_ascii_safe = false})->parsed);
  EXPECT_TRUE(analyzer.analyze("select 1", {})->parsed);
  EXPECT_FALSE(analyzer.analyze("select 1", {.encoding_is_ascii_safe = false})->parsed);
}

TEST(Analyzer, long_texts_are_not_cached) {
  Analyzer analyzer({.max_cached_text_bytes = 10});
  EXPECT_TRUE(analyzer.analyze("begin;    commit", {})->parsed);
  EXPECT_TRUE(analyzer.analyze("begin;    commit", {})->parsed);
  EXPECT_EQ(analyzer.counters().misses, 2U);
}

std::shared_ptr<const Analysis> some_analysis() { return std::make_shared<const Analysis>(); }

TEST(Cache, stays_within_its_bound) {
  constexpr std::size_t kBound = 10'000;
  AnalysisCache cache(kBound);
  for (int i = 0; i < 1000; ++i) {
    cache.insert("text " + std::to_string(i), {}, some_analysis());
    ASSERT_LE(cache.bytes(), kBound);
  }
  EXPECT_GT(cache.bytes(), kBound / 2);
  EXPECT_NE(cache.find("text 999", {}), nullptr);
  EXPECT_EQ(cache.find("text 0", {}), nullptr);
}

TEST(Cache, facts_are_counted) {
  const auto bytes_with = [](std::string_view text) {
    AnalysisCache cache(1 << 20);
    cache.insert("a text", {}, parse_text(text));
    return cache.bytes();
  };
  const std::size_t nothing = bytes_with("select 1");
  EXPECT_GE(bytes_with("select 1 from a_relation, another.relation"),
            nothing + 2 * sizeof(Relation) + std::string("a_relationanotherrelation").size());
  EXPECT_GE(bytes_with("select a_function()"),
            nothing + sizeof(Function) + std::string("a_function").size());
}

TEST(Cache, the_least_recently_used_makes_room) {
  AnalysisCache sizer(1 << 20);
  sizer.insert("a", {}, some_analysis());
  AnalysisCache cache(2 * sizer.bytes());
  cache.insert("a", {}, some_analysis());
  cache.insert("b", {}, some_analysis());
  ASSERT_NE(cache.find("a", {}), nullptr);
  cache.insert("c", {}, some_analysis());
  EXPECT_NE(cache.find("a", {}), nullptr);
  EXPECT_EQ(cache.find("b", {}), nullptr);
  EXPECT_NE(cache.find("c", {}), nullptr);
}

TEST(Cache, an_entry_larger_than_the_cache_is_not_kept) {
  AnalysisCache cache(1000);
  cache.insert("a", {}, some_analysis());
  cache.insert(std::string(2000, 'x'), {}, some_analysis());
  EXPECT_EQ(cache.find(std::string(2000, 'x'), {}), nullptr);
  EXPECT_NE(cache.find("a", {}), nullptr);
}

TEST(Cache, an_evicted_analysis_lives_as_long_as_its_holder) {
  AnalysisCache cache(1000);
  cache.insert("a", {}, some_analysis());
  const auto held = cache.find("a", {});
  for (int i = 0; i < 20; ++i) cache.insert(std::to_string(i), {}, some_analysis());
  EXPECT_EQ(cache.find("a", {}), nullptr);
  EXPECT_FALSE(held->parsed);
}

}  // namespace
}  // namespace helios::sql
