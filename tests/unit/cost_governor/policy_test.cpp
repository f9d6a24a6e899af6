// SPDX-License-Identifier: Apache-2.0

// Goal: the rules of the cost governor, one by one, at a time of the test's choosing.

#include "cost-governor/policy.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::cost_governor {
namespace {

using plugin::Outcome;
using plugin::Verdict;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int kMinute = 0;
constexpr int kHour = 1;
constexpr int kDay = 2;

// A usage whose windows all began a second ago.
Usage spent(double minute, double hour, double day) {
  return {.spent = {minute, hour, day}, .start_ms = {kNow - 1000, kNow - 1000, kNow - 1000}};
}

Budget limits(double minute, double hour, double day) { return {.limit = {minute, hour, day}}; }

std::string refusal(const Usage& usage, const Budget& budget) {
  const Verdict verdict = judge(usage, budget, {}, kNow);
  if (verdict.action == Verdict::Action::proceed) return "proceed";
  return {verdict.text.data(), verdict.text.size()};
}

TEST(Cost, FastStatement_IsNotFree) {
  Outcome outcome;
  outcome.elapsed_us = 250;
  outcome.response_bytes = 64;
  EXPECT_DOUBLE_EQ(cost_of(outcome), 0.000251);
}

TEST(Cost, SecondOfWork_CostsOne) {
  Outcome outcome;
  outcome.elapsed_us = 1'100'000;
  outcome.response_bytes = 64 * 1000;
  EXPECT_DOUBLE_EQ(cost_of(outcome), 1.1 + 0.001);
}

TEST(Judge, UsageBelowEveryLimit_Proceeds) {
  EXPECT_EQ(refusal(spent(0.99, 9.99, 99.99), limits(1, 10, 100)), "proceed");
}

TEST(Judge, UsageAtTheLimit_IsRefused) {
  EXPECT_EQ(refusal(spent(1, 1, 1), limits(1, 10, 100)),
            "tenant exceeded minute budget (1.00/1.00) (retry in 59s)");
}

TEST(Judge, SeveralLimits_DayComesFirstThenHour) {
  EXPECT_EQ(refusal(spent(5, 5, 5), limits(1, 2, 3)),
            "tenant exceeded daily budget (5.00/3.00) (retry in 86399s)");
  EXPECT_EQ(refusal(spent(5, 5, 5), limits(1, 2, 0)),
            "tenant exceeded hourly budget (5.00/2.00) (retry in 3599s)");
}

TEST(Judge, NoLimit_NeverRefuses) {
  EXPECT_EQ(refusal(spent(5, 5, 5), limits(0, 0, -1)), "proceed");
}

TEST(Judge, SecondsLeft_AreRoundedUp) {
  Usage usage = spent(2, 0, 0);
  usage.start_ms[kMinute] = kNow - 59'999;
  EXPECT_EQ(refusal(usage, limits(1, 0, 0)),
            "tenant exceeded minute budget (2.00/1.00) (retry in 1s)");
  usage.start_ms[kMinute] = kNow - 58'000;
  EXPECT_EQ(refusal(usage, limits(1, 0, 0)),
            "tenant exceeded minute budget (2.00/1.00) (retry in 2s)");
}

TEST(UsageAt, WindowThatIsOver_IsEmptyAndOthersStay) {
  Usage usage = spent(1, 2, 3);
  usage.start_ms[kMinute] = kNow - 60'000;
  const Usage present = usage_at(usage, {}, kNow);
  EXPECT_EQ(present.spent[kMinute], 0);
  EXPECT_EQ(present.start_ms[kMinute], 0);
  EXPECT_EQ(present.spent[kHour], 2);
  EXPECT_EQ(present.spent[kDay], 3);
}

TEST(UsageAt, LastMillisecondOfAWindow_StillCounts) {
  Usage usage = spent(1, 2, 3);
  usage.start_ms[kMinute] = kNow - 59'999;
  EXPECT_EQ(usage_at(usage, {}, kNow), usage);
}

TEST(UsageAt, ShorterLengths_EndTheWindow) {
  const WindowLengths lengths = {.ms = {1000, 3'600'000, 86'400'000}};
  EXPECT_EQ(usage_at(spent(1, 2, 3), lengths, kNow).spent[kMinute], 0);
}

TEST(UsageAt, SpendingWithoutAStart_BeginsNow) {
  const Usage seeded = parse_usage(R"({"minute":5,"hour":5,"day":5})");
  const Usage present = usage_at(seeded, {}, kNow);
  EXPECT_EQ(present.spent[kDay], 5);
  EXPECT_EQ(present.start_ms[kDay], kNow);
}

TEST(UsageAt, StartInTheFuture_BeginsNow) {
  Usage usage = spent(1, 2, 3);
  usage.start_ms[kHour] = INT64_MAX;
  EXPECT_EQ(usage_at(usage, {}, kNow).start_ms[kHour], kNow);
  EXPECT_EQ(usage_at(usage, {}, kNow).spent[kHour], 2);
}

TEST(Charge, NewWindow_BeginsWithTheCharge) {
  const Usage charged = charge(Usage{}, 0.5, kNow);
  EXPECT_EQ(charged, (Usage{.spent = {0.5, 0.5, 0.5}, .start_ms = {kNow, kNow, kNow}}));
  const Usage again = charge(charged, 0.25, kNow + 10);
  EXPECT_EQ(again, (Usage{.spent = {0.75, 0.75, 0.75}, .start_ms = {kNow, kNow, kNow}}));
}

TEST(Usage, Text_IsReadAsTheSame) {
  const Usage usage = spent(0.1 + 0.2, 1e-6, 123456.789);
  EXPECT_EQ(parse_usage(format_usage(usage)), usage);
  EXPECT_TRUE(format_usage(Usage{}) ==
              R"({"minute":0,"hour":0,"day":0,)"
              R"("minute_start_ms":0,"hour_start_ms":0,"day_start_ms":0})");
}

TEST(Parsing, OddTexts_CountAsNothing) {
  for (const char* text :
       {"", "{", "null", "[]", "5", R"({"minute":"1"})", R"({"minute":1e999})"}) {
    EXPECT_EQ(parse_usage(text), Usage{}) << text;
    EXPECT_FALSE(parse_budget(text).has_limit()) << text;
    EXPECT_EQ(parse_lengths(text).ms[kMinute], 60'000) << text;
  }
  EXPECT_EQ(parse_lengths(R"({"minute_ms":0,"hour_ms":-5,"day_ms":7})").ms[kDay], 7);
  EXPECT_EQ(parse_lengths(R"({"minute_ms":0,"hour_ms":-5,"day_ms":7})").ms[kHour], 3'600'000);
  EXPECT_EQ(parse_usage(R"({"minute_start_ms":-5})"), Usage{});
}

}  // namespace
}  // namespace helios::cost_governor
