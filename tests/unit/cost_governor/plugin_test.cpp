// SPDX-License-Identifier: Apache-2.0

// Goal: which keys the hooks read and write, and when. Method: the plugin itself behind the fake
// host.

#include "helios/fake_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::plugin {
namespace {

constexpr const char* kUsage = "tenant:acme:usage";

class CostGovernor : public testing::Test {
 protected:
  CostGovernor() {
    host_.state["tenant:acme:budget"] = R"({"minute":1.0,"hour":10.0,"day":100.0})";
  }

  std::string ask(const std::string& tenant = "acme") {
    return host_.pre_query(FakeQuery("SELECT 1").tenant(tenant));
  }
  void run(int64_t elapsed_us, const std::string& outcome = "executed") {
    host_.post_query(FakeQuery("SELECT 1").tenant("acme"), {.outcome = outcome,
                                                            .success = outcome == "executed",
                                                            .elapsed_us = elapsed_us,
                                                            .response_bytes = 0});
  }
  double usage(const char* window) {
    return *Json::parse(from_std(host_.state[kUsage]))->member(window)->number();
  }

  FakeHost host_;
};

TEST_F(CostGovernor, StatementOfATenant_IsCharged) {
  run(250);
  EXPECT_DOUBLE_EQ(usage("day"), 0.00025);
  EXPECT_DOUBLE_EQ(usage("minute_start_ms"), 1.7e12);
}

TEST_F(CostGovernor, StatementWithoutATenant_TouchesNothing) {
  const auto before = host_.state;
  EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1")), "");
  host_.post_query(FakeQuery("SELECT 1"), {});
  EXPECT_EQ(host_.state, before);
}

TEST_F(CostGovernor, FailedStatement_IsChargedAndOthersAreNot) {
  for (const char* outcome : {"refused", "skipped", "answered"}) run(1000, outcome);
  EXPECT_EQ(host_.state.count(kUsage), 0U);
  run(1000, "failed");
  EXPECT_DOUBLE_EQ(usage("day"), 0.001);
}

TEST_F(CostGovernor, StatementThatMayHaveRun_IsCharged) {
  run(1000, "lost");
  EXPECT_DOUBLE_EQ(usage("day"), 0.001);
  run(1000, "unknown");
  EXPECT_DOUBLE_EQ(usage("day"), 0.002);
}

TEST_F(CostGovernor, WhatManagesTheSession_IsLetPassAndCharged_ButForShow) {
  run(2'000'000);
  ASSERT_NE(ask(), "");
  const auto commit = FakeQuery("COMMIT").tenant("acme").manages_session(true);
  EXPECT_EQ(host_.pre_query(commit), "");
  host_.post_query(
      commit, {.outcome = "executed", .success = true, .elapsed_us = 500'000, .response_bytes = 0});
  EXPECT_DOUBLE_EQ(usage("day"), 2.5);
  EXPECT_NE(
      host_.pre_query(FakeQuery("SHOW x").tenant("acme").manages_session(true).read_only(true)),
      "");
}

TEST_F(CostGovernor, MistypedText_RefusesAndNamesKeyAndValue) {
  const auto refused = [this](const std::string& key, const char* value, const char* problem) {
    const auto before = host_.state;
    host_.state[key] = value;
    EXPECT_EQ(ask(), "cost-governor: \"" + key + "\" cannot be used: " + problem);
    EXPECT_EQ(host_.verdict.sqlstate, "F0000");
    host_.state = before;
  };
  const std::string budget = "tenant:acme:budget";
  refused(budget, R"({"minute":"ten"})", R"(its "minute" is "ten", not a number of 0 or more)");
  refused(budget, R"({"minute":1,"day":"10.0"})",
          R"(its "day" is "10.0", not a number of 0 or more)");
  refused(budget, R"({"minute":-1})", R"(its "minute" is -1, not a number of 0 or more)");
  refused(budget, R"({"minutes":1})", R"(it is {"minutes":1}, without a minute, an hour or a day)");
  refused(budget, "ten", "it is ten, not a JSON object");
  refused(budget, "10.0", "it is 10.0, not a JSON object");
  refused("config:windows", R"({"minute_ms":"x"})",
          R"(its "minute_ms" is "x", not a whole number of 0 or more)");
  refused("config:reserve", R"({"cost":"x"})", R"(its "cost" is "x", not a number of 0 or more)");
  refused("config:reserve", "{}", "it is {}, without a cost");
  EXPECT_EQ(ask(), "");
}

TEST_F(CostGovernor, WhatOperatorsWrite_IsJudged) {
  const std::string budget = "tenant:acme:budget";
  const struct {
    std::string key, value, problem;
  } kCases[] = {
      {budget, R"({"minute":1.0,"hour":10.0,"day":100.0})", ""},
      {budget, R"({"day":1e3})", ""},
      {budget, R"({"minute":0})", ""},
      {"tenant:a:b:budget", R"({"day":1})", ""},
      {budget, R"({"minut":1})", "budget: field `minut` is not known; did you mean `minute`?"},
      {budget, R"({"minute":"1.0"})", "budget: field `minute` must be a number, and is a text"},
      {budget, R"({"minute":-1})", "budget: field `minute` must be a number of 0 or more"},
      {budget, R"({"minute":1,"minute":2})", "budget: field `minute` is there twice"},
      {budget, "{}", "budget: there is none of `minute`, `hour` and `day`"},
      {budget, "", "budget: the value is empty; it must be a JSON object"},
      {"tenant:acme:usage", R"({"minute":5,"hour":5,"day":5})", ""},
      {"tenant:acme:usage", R"({"minute_start_ms":1.7e12})", ""},
      {"tenant:acme:usage", R"({"start":1})",
       "usage: field `start` is not known; there are `minute`, `minute_start_ms`, `hour`, "
       "`hour_start_ms`, `day`, `day_start_ms`, `minute_rows`, `minute_bytes`, `hour_rows`, "
       "`hour_bytes`, `day_rows`, `day_bytes`"},
      {"config:windows", R"({"minute_ms":1e3})", ""},
      {"config:windows", R"({"minute_ms":1.5})",
       "config:windows: field `minute_ms` must be a whole number of 1 or more"},
      {"config:reserve", R"({"cost":0.05})", ""},
      {"config:reserve", "{}", "config:reserve: field `cost` is missing"},
  };
  for (const auto& [key, value, problem] : kCases)
    EXPECT_EQ(host_.check_write(key, value), problem) << key << ' ' << value;
  for (const char* const key : {"tenant:acme:budgt", "budget", "tenant::budget", "config", ""})
    EXPECT_EQ(host_.check_write(key, R"({"day":1})").substr(0, 30),
              "there is no such key here; the")
        << key;
}

// What is let in is what the hooks use.
TEST_F(CostGovernor, NumbersMeanWhatTheySay) {
  const std::string lengths = R"({"minute_ms":5e2})";
  EXPECT_EQ(host_.check_write("config:windows", lengths), "");
  host_.state["config:windows"] = lengths;
  run(1'100'000);
  EXPECT_NE(ask(), "");
  host_.now_ms += 499;
  EXPECT_NE(ask(), "");
  host_.now_ms += 1;
  EXPECT_EQ(ask(), "");
}

TEST_F(CostGovernor, WhatStandsThereAlready_IsTreatedAsEver_AndLoggedOnce) {
  host_.state["tenant:acme:budget"] = R"({"minute":1,"note":"ours"})";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.log,
            std::vector<std::string>{
                "\"tenant:acme:budget\" would be refused today: field `note` is not known; there "
                "are `minute`, `hour`, `day`, `minute_rows`, `minute_bytes`, `hour_rows`, "
                "`hour_bytes`, `day_rows`, `day_bytes`"});
  run(1'100'000);
  EXPECT_NE(ask(), "");
}

TEST_F(CostGovernor, SmallBudget_IsShownWithItsDigits) {
  host_.state["tenant:acme:budget"] = R"({"minute":0.001})";
  run(1'500);
  EXPECT_EQ(ask(), "tenant exceeded minute budget (0.0015/0.0010) (retry in 60s)");
  EXPECT_EQ(host_.verdict.sqlstate, "53400");
}

TEST_F(CostGovernor, TenantOverItsBudget_IsRefusedUntilTheWindowEnds) {
  run(1'100'000);
  EXPECT_THAT(ask(),
              testing::HasSubstr("tenant exceeded minute budget (1.10/1.00) (retry in 60s)"));
  EXPECT_EQ(ask("globex"), "");
  host_.now_ms += 59'000;
  EXPECT_NE(ask(), "");
  host_.now_ms += 1'000;
  EXPECT_EQ(ask(), "");
  run(1000);
  EXPECT_DOUBLE_EQ(usage("minute"), 0.001);
  EXPECT_DOUBLE_EQ(usage("day"), 1.101);
}

TEST_F(CostGovernor, ShortenedWindow_EndsEarly) {
  run(1'100'000);
  EXPECT_NE(ask(), "");
  host_.state["config:windows"] = R"({"minute_ms":500})";
  host_.now_ms += 500;
  EXPECT_EQ(ask(), "");
}

TEST_F(CostGovernor, UsageThatAnOperatorWrote_EndsToo) {
  host_.state[kUsage] = R"({"minute":5,"hour":5,"day":5})";
  EXPECT_NE(ask(), "");
  host_.now_ms += 60'000;
  EXPECT_EQ(ask(), "");
}

TEST_F(CostGovernor, OneTenant_LeavesTheOthersAlone) {
  run(1000);
  host_.state["tenant:globex:usage"] = host_.state[kUsage];
  const std::string before = host_.state["tenant:globex:usage"];
  run(1000);
  EXPECT_EQ(host_.state["tenant:globex:usage"], before);
  EXPECT_NE(host_.state[kUsage], before);
}

TEST_F(CostGovernor, AllowedStatement_WritesNothingBeforeItRuns) {
  run(1000);
  const auto before = host_.state;
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.state, before);
}

TEST_F(CostGovernor, NoBudget_NeverRefuses) {
  host_.state.erase("tenant:acme:budget");
  run(1'000'000'000);
  EXPECT_EQ(ask(), "");
}

TEST_F(CostGovernor, UsageThatCannotBeKept_EndsTheCall) {
  host_.max_value_bytes = 10;
  EXPECT_DEATH(run(1000), "");
}

}  // namespace
}  // namespace helios::plugin
