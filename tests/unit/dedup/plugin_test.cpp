// SPDX-License-Identifier: Apache-2.0

// Goal: what counts as the same statement, and for how long. Method: the plugin itself behind the fake
// host.

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace helios::plugin {
namespace {

class Dedup : public testing::Test {
 protected:
  Dedup() { host_.state["config"] = R"({"window_ms":500})"; }
  std::string ask(const std::string& text, const std::string& tenant = "acme") {
    return host_.pre_query(FakeQuery(text).tenant(tenant));
  }
  FakeHost host_;
};

TEST_F(Dedup, repeat_within_the_window_is_refused) {
  EXPECT_EQ(ask("INSERT 1"), "");
  host_.now_ms += 80;
  EXPECT_EQ(ask("INSERT 1"), "the same statement was sent already (retry in 420 ms)");
  EXPECT_EQ(host_.verdict.sqlstate, "23505");
  host_.now_ms += 419;
  EXPECT_NE(ask("INSERT 1"), "");  // a repeat does not make the window longer
  host_.now_ms += 1;
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(host_.metrics["repeats"], 2);
}

TEST_F(Dedup, repeat_is_told_how_long_the_window_of_its_first_lasts) {
  EXPECT_EQ(ask("INSERT 1"), "");
  host_.state["config"] = R"({"window_ms":5})";
  EXPECT_EQ(ask("INSERT 1"), "the same statement was sent already (retry in 500 ms)");
}

TEST_F(Dedup, repeat_is_answered_where_told_so) {
  host_.state["config"] = R"({"window_ms":500,"answer":"taken"})";
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(host_.verdict.action, Verdict::Action::proceed);
  ask("INSERT 1");
  EXPECT_EQ(host_.verdict.action, Verdict::Action::answer);
  EXPECT_EQ(host_.verdict.columns, std::vector<std::string>{"dedup"});
  EXPECT_EQ(host_.verdict.values, std::vector<std::optional<std::string>>{"taken"});
  EXPECT_EQ(host_.metrics["repeats"], 1);
}

TEST_F(Dedup, other_text_tenant_or_parameter_is_another_statement) {
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(ask("insert 1"), "");
  EXPECT_EQ(ask("INSERT 1", "globex"), "");
  const auto with = [this](std::optional<std::string> first, std::optional<std::string> second) {
    return host_.pre_query(
        FakeQuery("INSERT $1, $2").tenant("acme").parameter(first).parameter(second));
  };
  EXPECT_EQ(with("a", "b"), "");
  EXPECT_EQ(with("a:", "b"), "");
  EXPECT_EQ(with("a", ":b"), "");
  EXPECT_EQ(with("a", std::nullopt), "");
  EXPECT_EQ(with("a", "NULL"), "");
  EXPECT_NE(with("a", "b"), "");
}

TEST_F(Dedup, only_writes_where_told_so) {
  host_.state["config"] = R"({"window_ms":500,"writes_only":true})";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1").tenant("acme").read_only(true)), "");
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_NE(ask("INSERT 1"), "");
}

TEST_F(Dedup, without_configuration_or_tenant_nothing_is_refused) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1")), "");
  host_.state.clear();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("SELECT 1"), "");
}

TEST_F(Dedup, configuration_that_is_none_refuses_everything) {
  for (const char* const text :
       {"", "{}", R"({"window_ms":0})", R"({"window_ms":"5"})", R"({"window_ms":5,"answer":1})"}) {
    host_.state["config"] = text;
    EXPECT_EQ(ask("SELECT 1"),
              "dedup: \"config\" needs a window_ms of 1 or more; its answer, if any, is a text")
        << text;
  }
}

}  // namespace
}  // namespace helios::plugin
