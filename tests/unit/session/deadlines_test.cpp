// SPDX-License-Identifier: Apache-2.0
// Goal: time runs for what is waited for now, and starts anew where the client's or the server's doing says so.
#include "session/deadlines.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace helios::session {
namespace {

using Waiting = Deadlines::Waiting;

struct Time : testing::Test {
  test::FakeClock clock;
  config::Limits limits;
  Deadlines deadlines;
  std::uint64_t ended = 0;

  Time() {
    limits.login_timeout_ms = 10;
    limits.query_timeout_ms = 100;
    limits.idle_in_transaction_timeout_ms = 0;
    limits.idle_timeout_ms = 1000;
  }
  void wait_for(Waiting waiting) { deadlines.update(waiting, ended, limits, clock); }
  void pass_ms(std::int64_t ms) { clock.advance_ms(ms); }
};

TEST_F(Time, runs_out) {
  wait_for(Waiting::login);
  pass_ms(9);
  EXPECT_EQ(deadlines.take_due(clock), std::nullopt);
  pass_ms(1);
  EXPECT_EQ(deadlines.take_due(clock), Waiting::login);
  EXPECT_EQ(deadlines.take_due(clock), std::nullopt);
}

TEST_F(Time, does_not_run_without_a_limit) {
  wait_for(Waiting::login);
  wait_for(Waiting::in_transaction);
  EXPECT_EQ(deadlines.deadline_ns(), std::nullopt);
  wait_for(Waiting::nothing);
  EXPECT_EQ(deadlines.deadline_ns(), std::nullopt);
}

TEST_F(Time, of_an_idle_client_starts_anew_with_each_message) {
  wait_for(Waiting::idle);
  pass_ms(999);
  deadlines.note_message();
  wait_for(Waiting::idle);
  pass_ms(999);
  EXPECT_EQ(deadlines.take_due(clock), std::nullopt);
  pass_ms(1);
  EXPECT_EQ(deadlines.take_due(clock), Waiting::idle);
}

TEST_F(Time, of_a_statement_is_not_put_off_by_what_the_client_sends_behind_it) {
  wait_for(Waiting::answer);
  pass_ms(60);
  deadlines.note_message();
  wait_for(Waiting::answer);
  pass_ms(40);
  EXPECT_EQ(deadlines.take_due(clock), Waiting::answer);
}

TEST_F(Time, of_a_statement_starts_anew_when_the_server_is_through_with_another_one) {
  wait_for(Waiting::answer);
  pass_ms(60);
  ++ended;
  wait_for(Waiting::answer);
  pass_ms(60);
  EXPECT_EQ(deadlines.take_due(clock), std::nullopt);
  deadlines.note_progress();
  wait_for(Waiting::answer);
  pass_ms(99);
  EXPECT_EQ(deadlines.take_due(clock), std::nullopt);
}

TEST_F(Time, asks_a_server_once_for_answers_that_it_may_keep) {
  wait_for(Waiting::answer);
  EXPECT_TRUE(deadlines.is_to_ask(0));
  EXPECT_FALSE(deadlines.is_to_ask(0));
  EXPECT_TRUE(deadlines.is_to_ask(1));
}

}  // namespace
}  // namespace helios::session
