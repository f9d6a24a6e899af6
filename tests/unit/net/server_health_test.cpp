// SPDX-License-Identifier: Apache-2.0
//
// What is known of the server follows the attempts to reach it, and the log follows its changes.

#include "net/server_health.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace helios::net {
namespace {

using State = ServerHealth::State;

constexpr std::int64_t kSecond = 1'000'000'000;

class Lines final : public base::Log {
 public:
  void write(base::LogLevel, std::string_view line) override { lines.emplace_back(line); }
  [[nodiscard]] bool enabled(base::LogLevel) const override { return true; }
  std::vector<std::string> lines;
};

TEST(ServerHealth, nothing_is_known_before_the_first_attempt) {
  const ServerHealth health("db:5432");
  EXPECT_EQ(health.read().state, State::unknown);
}

TEST(ServerHealth, first_success_is_no_news) {
  ServerHealth health("db:5432");
  Lines log;
  health.note_up(5, log);
  EXPECT_EQ(health.read().state, State::up);
  EXPECT_EQ(health.read().last_attempt_ns, 5);
  EXPECT_TRUE(log.lines.empty());
}

TEST(ServerHealth, each_change_is_one_line) {
  ServerHealth health("db:5432");
  Lines log;
  health.note_up(1, log);
  for (int second = 10; second < 15; ++second) health.note_down("refused", second * kSecond, log);
  EXPECT_EQ(health.read().state, State::down);
  EXPECT_EQ(health.read().reason, "refused");
  EXPECT_EQ(health.read().last_attempt_ns, 14 * kSecond);
  for (int second = 20; second < 25; ++second) health.note_up(second * kSecond, log);
  EXPECT_EQ(health.read().reason, "");
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{"cannot connect to the server at db:5432: refused",
                                      "the server at db:5432 can be reached again, after 10 s"}));
}

TEST(ServerHealth, server_that_stays_away_is_told_of_although_it_was_there_a_moment_ago) {
  ServerHealth health("db:5432");
  Lines log;
  health.note_down("refused", 10 * kSecond, log);
  health.note_up(10 * kSecond + 1, log);
  health.note_down("refused", 10 * kSecond + 2, log);
  EXPECT_EQ(log.lines.size(), 2U);
  health.note_down("timed out", 12 * kSecond, log);
  EXPECT_EQ(log.lines.back(), "cannot connect to the server at db:5432: timed out");
}

// Whatever comes: what is known is the last attempt, lines alternate, and there are two a second at most.
TEST(ServerHealth, any_order_of_attempts_keeps_the_log_short_and_in_step) {
  std::mt19937 random(7);
  ServerHealth health("db:5432");
  Lines log;
  std::int64_t now_ns = kSecond;
  constexpr std::int64_t kStep = kSecond / 50;
  for (int i = 0; i < 5000; ++i, now_ns += kStep) {
    const bool is_up = random() % 2 == 0;
    is_up ? health.note_up(now_ns, log) : health.note_down("refused", now_ns, log);
    ASSERT_EQ(health.read().state, is_up ? State::up : State::down);
    ASSERT_EQ(health.read().last_attempt_ns, now_ns);
  }
  for (std::size_t i = 0; i < log.lines.size(); ++i) {
    EXPECT_EQ(log.lines[i].starts_with("cannot connect"), i % 2 == 0) << log.lines[i];
  }
  EXPECT_LE(log.lines.size(), 2U * 5000 / 50 + 2);
}

}  // namespace
}  // namespace helios::net
