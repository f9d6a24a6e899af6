// SPDX-License-Identifier: Apache-2.0
// Goal: what the proxy answers itself reaches the client in its position of the stream, and not where the server would
// have skipped it.
#include "leg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::backend::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kParsed = message('1');
const std::string kBound = message('2');
const std::string kClosed = message('3');

class AnswersHere : public testing::TestWithParam<std::size_t> {
 protected:
  AnswersHere() { leg.log_in(); }
  // Whatever the link can do without another byte of the server.
  void move() {
    while (leg.link.step()) {
    }
    leg.client_got += leg.to_client.flatten();
    leg.to_client.clear();
  }

  Leg leg{GetParam()};
  std::vector<std::string>& told = leg.user.told;
};

TEST_P(AnswersHere, come_at_once_where_nothing_is_owed) {
  leg.link.answer_here(1, 'P', '1', kParsed);
  EXPECT_FALSE(leg.link.is_quiet());
  move();
  EXPECT_EQ(leg.client_got, kParsed);
  EXPECT_THAT(told, ElementsAre("ended 1 1"));
  EXPECT_TRUE(leg.link.owed().empty());
  EXPECT_TRUE(leg.link.is_batch_open());
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(AnswersHere, come_between_those_of_the_server) {
  leg.expect(1, 'P');
  leg.link.answer_here(2, 'P', '1', kParsed);
  leg.expect(3, 'B');
  leg.link.answer_here(4, 'C', '3', kClosed);
  leg.link.answer_here(5, 'P', '1', kParsed);
  leg.expect(6, 'S');
  move();
  EXPECT_EQ(leg.client_got, "");
  leg.server(kParsed + kBound + kReady);
  EXPECT_EQ(leg.client_got, kParsed + kParsed + kBound + kClosed + kParsed + kReady);
  EXPECT_THAT(told, ElementsAre("ended 1 1", "ended 2 1", "ended 3 2", "ended 4 3", "ended 5 1",
                                "status I", "ended 6 Z", "ready"));
  EXPECT_TRUE(leg.link.is_quiet());
}

TEST_P(AnswersHere, come_behind_the_last_byte_of_the_answer_in_front) {
  leg.link.expect(1, {.request = 'E'});
  leg.link.answer_here(2, 'C', '3', kClosed);
  const std::string suspended = message('s');
  const std::string long_row = row(std::string(5000, 'x'));
  leg.server(long_row);
  EXPECT_EQ(leg.client_got, long_row);
  leg.server(suspended);
  EXPECT_EQ(leg.client_got, long_row + suspended + kClosed);
}

TEST_P(AnswersHere, are_skipped_behind_an_error_of_their_batch) {
  leg.expect(1, 'P');
  leg.link.answer_here(2, 'P', '1', kParsed);
  leg.expect(3, 'S');
  leg.link.answer_here(4, 'C', '3', kClosed);
  leg.expect(5, 'S');
  leg.server(kError + kReady + kReady);
  EXPECT_EQ(leg.client_got, kError + kReady + kClosed + kReady);
  EXPECT_THAT(
      told, ElementsAre("error 42601 of 1, 25 bytes", "ended 1 -", "ended 2 -", "status I, failed",
                        "ended 3 Z", "ready", "ended 4 3", "status I", "ended 5 Z", "ready"));
}

TEST_P(AnswersHere, end_at_once_where_the_server_skips_already) {
  leg.expect(1, 'P');
  leg.server(kError);
  told.clear();
  leg.client_got.clear();
  leg.link.answer_here(2, 'P', '1', kParsed);
  EXPECT_THAT(told, ElementsAre("ended 2 -"));
  move();
  EXPECT_THAT(leg.client_got, IsEmpty());
}

TEST_P(AnswersHere, let_pass_what_the_server_sends_unasked) {
  const std::string notice = message('N', text("SNOTICE"));
  leg.expect(1, 'P');
  leg.link.answer_here(2, 'P', '1', kParsed);
  leg.server(notice + kParsed + notice);
  EXPECT_EQ(leg.client_got, notice + kParsed + kParsed + notice);
}

TEST_P(AnswersHere, come_around_the_links_own_messages) {
  leg.link.send_own('C', message('C', text("Sx")));
  leg.link.answer_here(1, 'P', '1', kParsed);
  leg.link.send_own('C', message('C', text("Sx")));
  leg.expect(2, 'S');
  leg.server(kClosed + kClosed + kReady);
  EXPECT_EQ(leg.client_got, kParsed + kReady);
}

TEST_P(AnswersHere, are_counted_as_memory_until_they_are_given) {
  leg.expect(1, 'P');
  const std::size_t before = leg.link.held_bytes();
  leg.link.answer_here(2, 'P', '1', message('1', std::string(100'000, 'x')));
  EXPECT_GE(leg.link.held_bytes(), before + 100'000);
  leg.server(kParsed);
  EXPECT_LT(leg.link.held_bytes(), before + 100'000);
}

TEST_P(AnswersHere, end_with_the_link) {
  leg.expect(1, 'P');
  leg.link.answer_here(2, 'P', '1', kParsed);
  leg.link.close();
  leg.link.end_all();
  EXPECT_THAT(told, ElementsAre("ended 1 -", "ended 2 -"));
}

INSTANTIATE_TEST_SUITE_P(Cut, AnswersHere, testing::Values(1, 2, 3, 5, 8, 21, 1 << 20),
                         [](const auto& cut) { return "by_" + std::to_string(cut.param); });

}  // namespace
}  // namespace helios::backend::test
