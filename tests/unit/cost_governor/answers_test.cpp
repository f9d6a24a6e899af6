// SPDX-License-Identifier: Apache-2.0

// Goal: budgets of rows and bytes refuse as those of cost do, and bound one answer by what is left. Method: the
// plugin itself behind the fake host, and the rules alone where numbers matter.

#include "cost-governor/policy.hpp"
#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::plugin {
namespace {

using cost_governor::Budget;
using cost_governor::left_of;
using cost_governor::Usage;

constexpr const char* kBudget = "tenant:acme:budget";
constexpr const char* kUsage = "tenant:acme:usage";

class AnswerBudgets : public testing::Test {
 protected:
  std::string ask() { return host_.pre_query(FakeQuery("SELECT 1").tenant("acme")); }
  // A statement of the tenant from its first hook to its last.
  void run(int64_t rows, int64_t bytes, const std::string& outcome = "executed") {
    ASSERT_EQ(ask(), "");
    host_.post_query(FakeQuery("SELECT 1").tenant("acme"), {.outcome = outcome,
                                                            .success = outcome == "executed",
                                                            .elapsed_us = 1000,
                                                            .response_bytes = bytes,
                                                            .rows = rows});
  }
  int64_t usage(const char* field) {
    const Optional<Json> number = Json::parse(from_std(host_.state[kUsage]))->member(field);
    return number ? *number->integer() : -1;
  }

  FakeHost host_;
};

TEST_F(AnswerBudgets, what_is_left_bounds_the_answer) {
  host_.state[kBudget] = R"({"minute_rows":1000,"hour_rows":900,"day_bytes":5000})";
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.max_rows, 900);
  EXPECT_EQ(host_.max_bytes, 5000);
  run(300, 2000);
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.max_rows, 600);
  EXPECT_EQ(host_.max_bytes, 3000);
  EXPECT_EQ(usage("minute_rows"), 300);
  EXPECT_EQ(usage("day_bytes"), 2000);
}

TEST_F(AnswerBudgets, at_the_limit_a_statement_is_refused_until_the_window_ends) {
  host_.state[kBudget] = R"({"minute_rows":10})";
  run(10, 640);
  EXPECT_EQ(ask(), "tenant exceeded minute budget of rows (10/10) (retry in 60s)");
  EXPECT_EQ(host_.verdict.sqlstate, "53400");
  EXPECT_FALSE(host_.max_rows.has_value());
  host_.now_ms += 60'000;
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.max_rows, 10);
  host_.state[kBudget] = R"({"day_bytes":640})";
  EXPECT_EQ(ask(), "tenant exceeded daily budget of bytes (640/640) (retry in 86340s)");
}

TEST_F(AnswerBudgets, without_them_nothing_is_bounded_and_the_usage_is_as_ever) {
  host_.state[kBudget] = R"({"minute":1.0})";
  run(10, 640);
  EXPECT_FALSE(host_.max_rows.has_value() || host_.max_bytes.has_value());
  EXPECT_EQ(usage("minute_rows"), -1);
}

TEST_F(AnswerBudgets, what_never_ran_counts_nothing_and_what_is_unknown_counts_what_was_sent) {
  host_.state[kBudget] = R"({"minute_rows":10,"minute":5})";
  run(3, 640, "skipped");
  EXPECT_EQ(host_.state.count(kUsage), 0U);
  run(3, 640, "lost");
  EXPECT_EQ(usage("minute_rows"), 3);
  run(4, 640, "failed");
  EXPECT_EQ(usage("minute_rows"), 7);
}

TEST_F(AnswerBudgets, reserving_mode_bounds_and_counts_as_well) {
  host_.state[kBudget] = R"({"minute":1.0,"minute_rows":10})";
  host_.state["config:reserve"] = R"({"cost":0.1})";
  run(4, 640);
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(host_.max_rows, 6);
  EXPECT_EQ(usage("minute_rows"), 4);
}

TEST_F(AnswerBudgets, mistyped_ones_refuse_and_are_not_let_in) {
  EXPECT_EQ(host_.check_write(kBudget, R"({"minute_rows":1000,"day_bytes":1e9})"), "");
  EXPECT_EQ(host_.check_write(kUsage, R"({"minute_rows":10,"minute_bytes":640})"), "");
  EXPECT_EQ(host_.check_write(kBudget, R"({"minute_row":1})"),
            "budget: field `minute_row` is not known; did you mean `minute_rows`?");
  EXPECT_EQ(host_.check_write(kBudget, R"({"day_bytes":1.5})"),
            "budget: field `day_bytes` must be a whole number of 0 or more");
  host_.state[kBudget] = R"({"minute":1,"minute_rows":"many"})";
  EXPECT_EQ(ask(),
            "cost-governor: \"tenant:acme:budget\" cannot be used: its \"minute_rows\" is "
            "\"many\", not a whole number of 0 or more");
}

TEST(LeftOf, Nothing_IsLeftWhereMoreWasUsed) {
  Budget budget;
  Usage usage;
  EXPECT_FALSE(left_of(usage, budget).rows.has_value());
  budget.answers.rows[0] = 5;
  usage.answers.rows[0] = 7;
  EXPECT_EQ(*left_of(usage, budget).rows, 0);
  EXPECT_FALSE(left_of(usage, budget).bytes.has_value());
}

}  // namespace
}  // namespace helios::plugin
