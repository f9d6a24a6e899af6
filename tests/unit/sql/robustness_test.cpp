// SPDX-License-Identifier: Apache-2.0
//
// Texts made to break the parser, and many threads at once. The sanitizers watch memory and leaks.

#include "unit/sql/sql_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include <pthread.h>

namespace helios::sql {
namespace {

std::string repeat(std::string_view piece, std::size_t count) {
  std::string text;
  text.reserve(piece.size() * count);
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Depth, parentheses_without_end_are_an_error) {
  for (const std::size_t depth : {std::size_t{20'000}, std::size_t{100'000}}) {
    const auto open = parse_text("select " + repeat("(", depth));
    EXPECT_FALSE(open->parsed);
    EXPECT_FALSE(open->error.empty());
    EXPECT_FALSE(parse_text("select " + repeat("(", depth) + "1" + repeat(")", depth))->parsed);
    EXPECT_FALSE(parse_text(repeat("(", depth) + "select 1" + repeat(")", depth))->parsed);
  }
}

// The grammar reads these without recursion, so only the walk meets the depth of the tree.
TEST(Depth, trees_too_deep_for_the_walk_are_an_error) {
  for (const std::string& text :
       {"select f(1" + repeat("+1", 100'000) + ")", "select f(a" + repeat("[1].b", 100'000) + ")",
        "select f(1" + repeat("::int", 100'000) + ")",
        "select 1 from t" + repeat(" cross join t", 100'000),
        "select 1" + repeat(" union all select 1", 100'000),
        "select f()" + repeat(" || f()", 100'000),
        "create view v as select 1" + repeat("+1", 100'000)}) {
    const auto analysis = parse_text(text);
    EXPECT_TRUE(analysis->parsed || analysis->error == "stack depth limit exceeded")
        << text.substr(0, 40) << ": " << analysis->error;
  }
  EXPECT_EQ(parse_text("select f(1" + repeat("+1", 100'000) + ")")->error,
            "stack depth limit exceeded");
}

TEST(Depth, ordinary_nesting_is_no_problem) {
  const std::string nested = repeat("(", 500) + "1" + repeat(")", 500);
  EXPECT_TRUE(parse_text("select " + nested)->parsed);
  EXPECT_TRUE(parse_text("select f(" + nested + repeat("+1", 500) + ")")->parsed);
  EXPECT_TRUE(parse_text("select 1 where a = 1" + repeat(" or a = 1", 50'000))->parsed);
}

// Each level of WITH takes some stack, and the grammar reads 1600 of them: on a thread of little stack the
// walk has to end before its end.
TEST(Depth, nested_with_queries_end_before_a_small_stack_does) {
  constexpr std::size_t kStackBytes = 768 << 10;
  std::string error;
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStackBytes), 0);
  pthread_t thread{};
  const auto body = [](void* result) -> void* {
    const auto text = repeat("with w as (", 1600) + "select 1" + repeat(") select 1", 1600);
    *static_cast<std::string*>(result) = parse_text(text)->error;
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, body, &error), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(error, "stack depth limit exceeded");
}

TEST(Depth, the_thread_goes_on_after_an_error) {
  EXPECT_FALSE(parse_text("select f(1" + repeat("+1", 100'000) + ")")->parsed);
  EXPECT_TRUE(parse_text("select f(1)")->parsed);
}

// Statements and columns of a few bytes: far more memory than text.
TEST(Size, trees_beyond_their_memory_are_an_error) {
  const std::size_t bytes = 3 << 20;
  for (const std::string piece : {"show a;", "set a=1;", "select;"}) {
    const auto analysis = parse_text(repeat(piece, bytes / piece.size()));
    EXPECT_FALSE(analysis->parsed) << piece;
    EXPECT_THAT(analysis->error, testing::StartsWith("reading the text takes more than"));
    EXPECT_TRUE(analysis->statements.empty());
  }
  EXPECT_FALSE(parse_text("select a" + repeat(",a", bytes))->parsed);
  EXPECT_TRUE(parse_text("select 1")->parsed) << "the thread goes on";
}

TEST(Size, large_texts_of_data_are_read) {
  const std::size_t bytes = 4 << 20;
  EXPECT_TRUE(parse_text("insert into t values (1)" + repeat(",(1)", bytes / 4))->parsed);
  EXPECT_TRUE(parse_text("select 1 where a in (1" + repeat(",1", bytes / 2) + ")")->parsed);
  EXPECT_TRUE(parse_text("select '" + repeat("x", bytes) + "'")->parsed);
}

// Its report needs memory too.
TEST(Size, syntax_error_at_the_end_of_the_memory_is_an_error) {
  for (std::size_t count = 600'000; count < 700'000; count += 10'000) {
    const auto analysis = parse_text("select a" + repeat(",a", count) + " select");
    EXPECT_FALSE(analysis->parsed);
    EXPECT_FALSE(analysis->error.empty());
  }
}

TEST(Size, many_statements_calls_and_changes_stay_linear) {
  const auto many = parse_text(repeat("select set_config('helios.a', 'b', false);", 20'000));
  EXPECT_EQ(many->statements.size(), 20'000U);
  const auto calls = parse_text("select 1" + repeat(", helios.kv('a', 'b')", 20'000));
  EXPECT_EQ(calls->statements.at(0).kv_calls.size(), 20'000U);
  const auto changes = parse_text("select 1" + repeat(", set_config($1, 'b', false)", 20'000));
  EXPECT_EQ(changes->statements.at(0).settings.size(), 20'000U);
  const auto arguments = parse_text("execute p(1" + repeat(", 'b', ARRAY['a', 2]", 20'000) + ")");
  EXPECT_EQ(arguments->statements.at(0).arguments.size(), 40'001U);
  const auto bound = parse_text(repeat("select set_config('helios.a', $1, false);", 20'000));
  EXPECT_EQ(bound->statements.size(), 20'000U);
}

std::string names(std::string_view before, std::string_view behind, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text.append(before).append(std::to_string(i)).append(behind);
  return text;
}

// The lists of facts are bounded, so that looking a name up in them does not grow with the text.
TEST(Size, many_names_stay_linear) {
  const std::size_t count = 50'000;
  const auto calls = parse_text("select 1" + names(", f", "()", count));
  EXPECT_EQ(calls->statements.at(0).facts.functions.size(), kMaxFactNames);
  const auto relations = parse_text("select 1 from t" + names(", t", "", count));
  EXPECT_EQ(relations->statements.at(0).facts.relations.size(), kMaxFactNames);
  const auto queries =
      parse_text("with w as (select 1)" + names(", w", " as (table w)", count) + " table other");
  EXPECT_TRUE(queries->statements.at(0).facts.has_more_relations);
}

TEST(Size, deeply_nested_calls_stay_linear) {
  const auto nested =
      parse_text("select " + repeat("helios.kv('a', ", 900) + "'b'" + repeat(")", 900));
  ASSERT_TRUE(nested->parsed) << nested->error;
  EXPECT_EQ(nested->statements.at(0).kv_calls.size(), 900U);
}

TEST(Size, a_large_literal_is_read) {
  const std::string text = "insert into t values ('" + repeat("x", 4 << 20) + "'); select 1";
  EXPECT_EQ(parse_text(text)->statements.size(), 2U);
}

TEST(Threads, parse_in_parallel_with_rules_of_their_own) {
  const std::string text =
      "select 'a\\'; select helios.kv($$b$$, $$c$$), set_config($1, $$b$$, false); --'";
  std::vector<std::jthread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&text, number] {
      const ReadingRules rules{.standard_conforming_strings = number % 2 == 0};
      const std::size_t expected = number % 2 == 0 ? 2 : 1;
      for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(parse(text, rules)->statements.size(), expected);
        ASSERT_FALSE(parse("select from from", rules)->parsed);
      }
    });
  }
}

}  // namespace
}  // namespace helios::sql
