// SPDX-License-Identifier: Apache-2.0
//
// Lines, and what a backslash at their end joins. Each byte keeps its place.

#include "auth/rule_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> result;
  RuleLines lines(text);
  for (RuleLine line; lines.next(line);) result.push_back(line.text());
  return result;
}

RuleLine first_of(std::string_view text) {
  RuleLine line;
  RuleLines(text).next(line);
  return line;
}

TEST(RuleLines, newline_ends_a_line_with_or_without_carriage_return) {
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\r\nb\r\r\nc\r"), ElementsAre("a", "b", "c"));
}

TEST(RuleLines, backslash_at_the_end_joins_the_next_line) {
  EXPECT_THAT(lines_of("a \\\nb\\\nc\nd\n"), ElementsAre("a bc", "d"));
  EXPECT_THAT(lines_of("a\\\r\nb\n"), ElementsAre("ab"));
  EXPECT_THAT(lines_of("# a\\\nb\n"), ElementsAre("# ab")) << "also that of a comment";
}

TEST(RuleLines, backslash_elsewhere_joins_nothing) {
  EXPECT_THAT(lines_of("a\\b\nc\\ \nd\n"), ElementsAre("a\\b", "c\\ ", "d"));
}

TEST(RuleLines, of_two_backslashes_one_is_taken_and_an_empty_line_ends_it) {
  EXPECT_THAT(lines_of("a\\\\\n\nb\n"), ElementsAre("a\\", "b"));
}

TEST(RuleLines, backslash_at_the_end_of_the_file_is_taken) {
  EXPECT_THAT(lines_of("a\\"), ElementsAre("a"));
  EXPECT_THAT(lines_of("a\\\n"), ElementsAre("a"));
}

TEST(RuleLines, each_byte_keeps_its_line_and_column) {
  RuleLines lines("x\nab\\\ncd\\\nef\ng\n");
  RuleLine line;
  ASSERT_TRUE(lines.next(line) && lines.next(line));
  ASSERT_EQ(line.text(), "abcdef");
  EXPECT_THAT(line.position(0), Pair(2, 1));
  EXPECT_THAT(line.position(1), Pair(2, 2));
  EXPECT_THAT(line.position(2), Pair(3, 1));
  EXPECT_THAT(line.position(5), Pair(4, 2));
  EXPECT_THAT(line.position(6), Pair(4, 3));
  ASSERT_TRUE(lines.next(line));
  EXPECT_THAT(line.position(0), Pair(5, 1));
}

TEST(RuleLines, line_has_at_most_64_kib_after_joining) {
  const std::string most(RuleLine::kMaxBytes, 'x');
  EXPECT_FALSE(first_of(most + "\n").is_too_long());
  EXPECT_TRUE(first_of(most + "y\n").is_too_long());
  EXPECT_TRUE(first_of(most + "\\\ny\n").is_too_long());
  EXPECT_THAT(lines_of(most + "y\\\nz\na\n").back(), "a") << "the next one is read";
}

}  // namespace
}  // namespace helios::auth
