// SPDX-License-Identifier: Apache-2.0
//
// One line as fields of tokens: blanks, commas, quotes, comments.

#include "auth/rule_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::auth {
namespace {

using namespace std::string_literals;

// Fields between '|', tokens between ',', quoted ones between brackets.
std::string shape_of(std::string_view line) {
  const auto split = split_line(line);
  if (split.wrong != nullptr) return "wrong at " + std::to_string(split.wrong_at);
  std::string shape;
  for (const auto& field : split.fields) {
    shape += shape.empty() ? "" : "|";
    for (std::size_t i = 0; i < field.size(); ++i) {
      shape += i == 0 ? "" : ",";
      shape += field[i].is_quoted ? "[" + field[i].text + "]" : field[i].text;
    }
  }
  return shape;
}

struct Case {
  std::string line;
  const char* shape;
};

TEST(RuleTokens, line_is_fields_of_tokens) {
  const Case cases[] = {
      {"", ""},
      {" \t\r ", ""},
      {"local all all trust", "local|all|all|trust"},
      {"  local\tall \r all", "local|all|all"},
      {"a,b", "a,b"},
      {"a, b", "a,b"},
      {"a,\t, b c", "a,b|c"},
      {"a ,b", "a|b"},
      {",a", "a"},
      {"a,", "a"},
      {"a, # b", "a"},
      {"# a", ""},
      {"a # b", "a"},
      {"a#b", "a"},
      {"a \"#b\"", "a|[#b]"},
      {"\"a b\"", "[a b]"},
      {"\"a,b\",c", "[a,b],c"},
      {"\"all\"", "[all]"},
      {"a\"ll\"", "all"},
      {"\"a\"ll", "[all]"},
      {"\"\"all", "[all]"},
      {"\"\"", "[]"},
      {"\"a\"\"b\"", "[a\"b]"},
      {"\"\"\"a\"", "[\"a]"},
      {"\"\"\"\"", "[\"]"},
      {"map=\"a b\"", "map=a b"},
      {"@file,\"@file\"", "@file,[@file]"},
      {"\\a\\", "\\a\\"},
      {"\xc3\xa4 \xff", "\xc3\xa4|\xff"},
  };
  for (const auto& each : cases) EXPECT_EQ(shape_of(each.line), each.shape) << each.line;
}

TEST(RuleTokens, quote_that_nothing_closes_is_wrong) {
  EXPECT_EQ(shape_of("a \"b c"), "wrong at 2");
  EXPECT_EQ(shape_of("a \"b\"\""), "wrong at 2");
  EXPECT_EQ(shape_of("a \"b\" c\""), "wrong at 7");
  EXPECT_EQ(shape_of("a # \""), "a") << "in a comment it is none";
}

TEST(RuleTokens, zero_byte_is_wrong) {
  EXPECT_EQ(shape_of("a\0b"s), "wrong at 1");
  EXPECT_EQ(shape_of("# \0"s), "wrong at 2") << "what is behind it would be seen by some only";
}

TEST(RuleTokens, each_token_says_where_it_stands) {
  const auto split = split_line(" ab,\"c\" # d");
  ASSERT_EQ(split.fields.size(), 1U);
  EXPECT_EQ(split.fields[0][0].begin, 1U);
  EXPECT_EQ(split.fields[0][0].end, 3U);
  EXPECT_EQ(split.fields[0][1].begin, 4U);
  EXPECT_EQ(split.fields[0][1].end, 7U);
}

}  // namespace
}  // namespace helios::auth
