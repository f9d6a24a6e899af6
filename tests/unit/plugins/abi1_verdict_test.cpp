// SPDX-License-Identifier: Apache-2.0

// What a pre_query may answer, in both dialects, and what counts as a failure instead.

#include "plugins/abi/abi1_verdict.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::plugins {
namespace {

using Action = hooks::Verdict::Action;

TEST(Abi1Verdict, both_dialects_are_understood) {
  const struct {
    std::string_view json;
    Action action;
    std::string_view text;
  } kCases[] = {
      {R"({"action":"continue"})", Action::proceed, ""},
      {R"({"kind":"continue"})", Action::proceed, ""},
      {R"( { "kind" : "continue", "more": [1, {}] } )", Action::proceed, ""},
      {R"({"action":"block","value":"no"})", Action::block, "no"},
      {R"({"kind":"block","reason":"no"})", Action::block, "no"},
      {R"({"action":"block","reason":"no"})", Action::block, "no"},
      {R"({"kind":"block"})", Action::block, "no reason given"},
      {R"({"action":"rewrite","value":"SELECT 2"})", Action::rewrite, "SELECT 2"},
      {R"({"kind":"rewrite","sql":"SELECT 2"})", Action::rewrite, "SELECT 2"},
  };
  for (const auto& one : kCases) {
    const auto verdict = abi1_verdict(one.json);
    ASSERT_TRUE(verdict) << one.json << ": " << verdict.error().message;
    EXPECT_EQ(verdict->action, one.action) << one.json;
    EXPECT_EQ(verdict->text, one.text) << one.json;
    EXPECT_EQ(verdict->sqlstate, "") << one.json;
  }
}

TEST(Abi1Verdict, block_may_name_its_sqlstate) {
  const auto verdict = abi1_verdict(R"({"kind":"block","reason":"no","sqlstate":"53400"})");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->sqlstate, "53400");
}

TEST(Abi1Verdict, block_may_be_explained) {
  const auto verdict =
      abi1_verdict(R"({"kind":"block","reason":"no","detail":"a\u0000b","hint":"wait"})");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->detail, "a b");
  EXPECT_EQ(verdict->hint, "wait");
}

TEST(Abi1Verdict, reason_cannot_contain_nul) {
  const auto verdict = abi1_verdict(R"({"kind":"block","reason":"a\u0000b"})");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->text, "a b");
}

TEST(Abi1Verdict, everything_else_is_an_error) {
  const struct {
    std::string_view json;
    std::string_view error;
  } kCases[] = {
      {"", "not JSON"},
      {"continue", "not JSON"},
      {R"({"action":"continue"} x)", "not JSON"},
      {"\"continue\"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "neither"},
      {R"({"action":1})", "neither"},
      {R"({"action":"allow"})", "unknown action \"allow\""},
      {R"({"action":"cached","data":[]})", "cached rows"},
      {R"({"kind":"rewrite"})", "without the new statement"},
      {R"({"kind":"rewrite","sql":""})", "without the new statement"},
      {R"({"kind":"rewrite","sql":"a\u0000b"})", "NUL"},
      {R"({"kind":"block","reason":"x","sqlstate":"4200"})", "sqlstate"},
      {R"({"kind":"block","reason":"x","sqlstate":"4200a"})", "sqlstate"},
      {"{\"kind\":\"block\",\"reason\":\"\xFF\"}", "not JSON"},
  };
  for (const auto& one : kCases) {
    const auto verdict = abi1_verdict(one.json);
    ASSERT_FALSE(verdict) << one.json;
    EXPECT_NE(verdict.error().message.find(one.error), std::string::npos)
        << one.json << ": " << verdict.error().message;
  }
}

TEST(Abi1Verdict, deep_nesting_is_refused) {
  const std::string deep =
      R"({"kind":"continue","x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(abi1_verdict(deep));
}

}  // namespace
}  // namespace helios::plugins
