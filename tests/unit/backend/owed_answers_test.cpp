// SPDX-License-Identifier: Apache-2.0
// Goal: every forwarded message ends once, in order, by the answer that the protocol says, whatever errors and
// COPY data do between.
#include "backend/owed_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

namespace helios::backend {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Writes down "TAG ANSWER", "-" for no answer.
struct Owing : testing::Test, OwedAnswers::User {
  std::vector<std::string> ended;
  OwedAnswers owed{*this};
  Tag next = 1;

  void on_ended(Tag tag, char answer) override {
    ended.push_back(std::to_string(tag) + " " + (answer == 0 ? '-' : answer));
  }
  // One message for each type byte.
  void push(std::string_view requests) {
    for (const char request : requests) owed.push(next++, {.request = request});
  }
  void answer(std::string_view types) {
    for (const char type : types) {
      if (type == 'E') {
        owed.on_error();
      } else {
        owed.on_answer(type);
      }
    }
  }
};

TEST_F(Owing, each_message_ends_by_its_own_answer) {
  push("PBDESQF");
  answer("12TC");
  EXPECT_THAT(ended, ElementsAre("1 1", "2 2", "3 T", "4 C"));
  answer("Z");
  EXPECT_EQ(ended.back(), "5 Z");
  answer("TCTCZ");
  EXPECT_EQ(ended.back(), "6 Z");
  answer("VZ");
  EXPECT_EQ(ended.back(), "7 Z");
  EXPECT_TRUE(owed.empty());
}

TEST_F(Owing, error_ends_everything_up_to_sync) {
  push("PBESPBES");
  answer("1E");
  EXPECT_THAT(ended, ElementsAre("1 1", "2 -", "3 -"));
  answer("Z12CZ");
  EXPECT_THAT(ended, ElementsAre("1 1", "2 -", "3 -", "4 Z", "5 1", "6 2", "7 C", "8 Z"));
}

TEST_F(Owing, what_is_forwarded_behind_an_error_ends_at_once) {
  push("P");
  answer("E");
  EXPECT_TRUE(owed.is_skipping());
  push("BE");
  EXPECT_THAT(ended, ElementsAre("1 -", "2 -", "3 -"));
  push("S");
  EXPECT_FALSE(owed.is_skipping());
  answer("Z");
  EXPECT_EQ(ended.back(), "4 Z");
}

TEST_F(Owing, error_of_a_query_leaves_it_until_ready) {
  push("QQ");
  answer("E");
  EXPECT_THAT(ended, IsEmpty());
  answer("ZCZ");
  EXPECT_THAT(ended, ElementsAre("1 Z", "2 Z"));
}

TEST_F(Owing, suspended_portal_ends_its_execute) {
  push("ES");
  answer("sZ");
  EXPECT_THAT(ended, ElementsAre("1 s", "2 Z"));
}

TEST_F(Owing, error_belongs_to_the_first_message_of_the_client) {
  owed.push(7, {.request = 'C', .is_ours = true});
  owed.push(8, {.request = 'P', .is_ours = true});
  EXPECT_EQ(owed.front_of_client(), 0U);
  owed.push(9, {.request = 'B'});
  EXPECT_EQ(owed.front_of_client(), 9U);
}

TEST_F(Owing, reading_rules_are_hidden_until_the_end_of_the_unit) {
  for (const char* const request : {"P", "D", "B", "E"}) {
    push(request);
    EXPECT_TRUE(owed.hides_changes()) << "reading a text and planning run functions: " << request;
    push("S");
    EXPECT_FALSE(owed.hides_changes());
  }
  push("C");
  EXPECT_FALSE(owed.hides_changes());
  push("D");
  EXPECT_FALSE(owed.hides_changes(true)) << "in a failed transaction nothing is read to its end";
  push("E");
  EXPECT_TRUE(owed.hides_changes(true)) << "it may have been a ROLLBACK";
}

TEST_F(Owing, sync_among_data_ends_without_an_answer_when_the_copy_succeeds) {
  owed.push(1, {.request = 'E', .may_copy_in = true});
  EXPECT_FALSE(owed.on_copy_in());
  owed.push(2, {.request = 'S', .is_maybe = true});
  EXPECT_TRUE(owed.has_maybe());
  owed.push(3, {.request = 'S'});
  owed.on_copy_done();
  EXPECT_THAT(ended, ElementsAre("2 -"));
  answer("CZ");
  EXPECT_THAT(ended, ElementsAre("2 -", "1 C", "3 Z"));
}

TEST_F(Owing, end_of_data_that_was_sent_before_the_server_asked_for_it) {
  owed.push(1, {.request = 'E', .may_copy_in = true});
  owed.note_copy_end();
  push("");
  owed.push(2, {.request = 'S'});
  EXPECT_TRUE(owed.on_copy_in());
  EXPECT_FALSE(owed.has_maybe()) << "the Sync stands behind the data";
}

TEST_F(Owing, long_stream_ends_in_order_and_gives_its_memory_back) {
  std::mt19937 random(7);
  std::size_t behind = 0;
  Tag oldest = 1;
  for (int step = 0; step < 40'000; ++step) {
    const bool grows = (step / 5000) % 2 == 0;
    if (behind == 0 || random() % 4 < (grows ? 3U : 1U)) {
      push("Q");
      ++behind;
    } else {
      answer("Z");
      --behind;
      ASSERT_EQ(ended.back(), std::to_string(oldest++) + " Z");
    }
    ASSERT_EQ(owed.size(), behind);
  }
  while (behind-- > 0) answer("Z");
  EXPECT_EQ(owed.held_bytes(), 0U);
}

}  // namespace
}  // namespace helios::backend
