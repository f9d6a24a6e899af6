// SPDX-License-Identifier: Apache-2.0
// The joiner beside a model: random interleavings of records, some of them missing, and a bound that is reached.

#include "cli/statement_joiner.hpp"

#include "cli/json_answer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace helios::cli {
namespace {

// An outcome that tells the settlement too.
constexpr const char* kWhole = "outcome and settlement";

kv::StreamRecord record(kv::RecordNumber number, const std::string& type, int request) {
  const bool is_whole = type == kWhole;
  std::string bytes = R"({"type":")" + (is_whole ? "outcome" : type) + R"(","request":"r)" +
                      std::to_string(request) + R"(","outcome":"executed")";
  if (is_whole || type == "settlement") bytes += R"(,"settlement":"committed")";
  return {.number = number, .time_ms = 0, .digest = {}, .bytes = bytes + "}"};
}

struct Step {
  std::string type;
  int request;
};

// Of `count` requests, each in its order; some never end.
std::vector<Step> random_steps(std::mt19937& random, int count) {
  std::vector<std::vector<Step>> queues;
  for (int request = 0; request < count; ++request) {
    std::vector<Step> left = {{"settlement", request}, {"outcome", request}, {"intent", request}};
    left.erase(left.begin(),
               left.begin() + static_cast<int>(random() % 10 == 0 ? random() % 3 : 0));
    if (left.size() == 3 && random() % 2 == 0) left = {{kWhole, request}, {"intent", request}};
    queues.push_back(std::move(left));
  }
  std::vector<Step> steps;
  while (!queues.empty()) {
    const std::size_t at = random() % std::min<std::size_t>(queues.size(), 8);
    steps.push_back(queues[at].back());
    queues[at].pop_back();
    if (queues[at].empty()) queues.erase(queues.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return steps;
}

TEST(StatementJoiner, every_statement_comes_once_in_order_and_as_whole_as_the_bound_lets_it) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Step> steps = random_steps(random, 60);
    const std::size_t most_open = seed % 2 == 0 ? 1000 : 6;
    std::vector<std::int64_t> numbers;
    std::set<std::int64_t> whole;
    const StatementFilter all;
    StatementJoiner joiner(
        all,
        [&](const boost::json::object& fields) -> base::Result<void> {
          numbers.push_back(number_of(fields, "number").value());
          if (!view_of(fields, "settlement").empty()) whole.insert(numbers.back());
          return {};
        },
        most_open);
    std::set<int> ended;
    std::vector<std::int64_t> began;
    std::set<std::int64_t> must_be_whole;
    std::map<int, std::int64_t> number_of_request;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto number = static_cast<std::int64_t>(i + 1);
      if (steps[i].type == "intent") {
        began.push_back(number);
        number_of_request[steps[i].request] = number;
      }
      if (steps[i].type == "settlement" || steps[i].type == kWhole)
        must_be_whole.insert(number_of_request[steps[i].request]);
      ASSERT_TRUE(joiner.add(record(i + 1, steps[i].type, steps[i].request)));
    }
    ASSERT_TRUE(joiner.finish());
    EXPECT_EQ(numbers, began) << "seed " << seed;
    EXPECT_EQ(joiner.strange(), 0U);
    if (joiner.given_up() == 0) {
      EXPECT_EQ(whole, must_be_whole) << "seed " << seed;
    } else {
      EXPECT_EQ(most_open, 6U);
      EXPECT_TRUE(std::ranges::includes(must_be_whole, whole));
      EXPECT_LE(must_be_whole.size() - whole.size(), joiner.given_up());
    }
  }
}

TEST(StatementJoiner, released_statements_are_given_again_only_when_more_is_known) {
  std::string given;
  const StatementFilter all;
  StatementJoiner joiner(all, [&](const boost::json::object& fields) -> base::Result<void> {
    given += view_of(fields, "request");
    given += view_of(fields, "outcome").empty() ? "? " : ". ";
    return {};
  });
  ASSERT_TRUE(joiner.add(record(1, "intent", 1)));
  ASSERT_TRUE(joiner.release());
  EXPECT_EQ(given, "");
  ASSERT_TRUE(joiner.add(record(2, "intent", 2)));
  ASSERT_TRUE(joiner.release());
  ASSERT_TRUE(joiner.release());
  EXPECT_EQ(given, "r1? r2? ");
  ASSERT_TRUE(joiner.release());
  EXPECT_EQ(given, "r1? r2? ");
  ASSERT_TRUE(joiner.add(record(3, "outcome", 1)));
  ASSERT_TRUE(joiner.release());
  EXPECT_EQ(given, "r1? r2? r1. ");
  ASSERT_TRUE(joiner.add(record(4, "settlement", 1)));
  EXPECT_EQ(given, "r1? r2? r1. r1. ");
  EXPECT_TRUE(joiner.has_open());
}

TEST(StatementJoiner, records_that_contradict_others_change_nothing) {
  int given = 0;
  const StatementFilter all;
  StatementJoiner joiner(all, [&](const boost::json::object&) -> base::Result<void> {
    ++given;
    return {};
  });
  ASSERT_TRUE(joiner.add(record(1, "intent", 1)));
  ASSERT_TRUE(joiner.add(record(2, "intent", 1)));
  ASSERT_TRUE(joiner.add(record(3, "outcome", 1)));
  ASSERT_TRUE(joiner.add(record(4, "outcome", 1)));
  ASSERT_TRUE(joiner.add(record(5, "outcome", 7)));
  ASSERT_TRUE(joiner.add(record(6, "settlement", 1)));
  EXPECT_EQ(given, 1);
  EXPECT_EQ(joiner.strange(), 2U);
  ASSERT_TRUE(joiner.add(record(7, "intent", 2)));
  ASSERT_TRUE(joiner.add(record(8, "settlement", 2)));
  ASSERT_TRUE(joiner.add(record(9, kWhole, 2)));
  EXPECT_EQ(joiner.strange(), 3U);
  EXPECT_TRUE(joiner.has_open());
  ASSERT_TRUE(joiner.add(record(10, "outcome", 2)));
  EXPECT_EQ(given, 2);
  EXPECT_FALSE(joiner.has_open());
}

}  // namespace
}  // namespace helios::cli
