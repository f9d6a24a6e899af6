// SPDX-License-Identifier: Apache-2.0
// Goal: an error that answers no message, as that of a statement timer that ran out between two messages, never shifts the
// answers of those behind it.
#include "leg.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::backend::test {
namespace {

using testing::ElementsAre;

const std::string kParsed = message('1');
const std::string kBound = message('2');
const std::string kClosed = message('3');
const std::string kFlush = message('H');
const std::string kTimeout = message('E', std::string_view("SERROR\0C57014\0Mlate\0\0", 21));

class ErrorsUnasked : public testing::TestWithParam<std::size_t> {
 protected:
  // A batch is open, everything in it is answered, and a Flush stands behind it.
  ErrorsUnasked() {
    leg.log_in();
    leg.link.be_exact(true);
    leg.expect(1, 'P');
    leg.expect(2, 'B');
    leg.link.ask_for_answers();
    leg.server(kParsed + kBound);
    leg.sent();
    told.clear();
    leg.client_got.clear();
  }
  // The client sends one.
  void forward_flush() {
    pgwire::FrameReader reader;
    std::string_view bytes = kFlush;
    ASSERT_EQ(reader.next(bytes), pgwire::FrameReader::Step::header);
    reader.collect();
    ASSERT_EQ(reader.next(bytes), pgwire::FrameReader::Step::message);
    leg.link.forward(reader);
  }
  std::string close_own() { return pgwire::serialize_close_statement("mine"); }

  Leg leg{GetParam()};
  std::vector<std::string>& told = leg.user.told;
};

TEST_P(ErrorsUnasked, of_a_flush_have_the_batch_skipped) {
  leg.server(kTimeout);
  EXPECT_EQ(leg.client_got, kTimeout);
  EXPECT_THAT(told, ElementsAre("error 57014 of 0, 26 bytes"));
  EXPECT_TRUE(leg.link.owed().is_skipping());
  leg.expect(3, 'E');
  leg.expect(4, 'S');
  leg.server(kReady);
  EXPECT_THAT(told, ElementsAre("error 57014 of 0, 26 bytes", "ended 3 -", "status I, failed",
                                "ended 4 Z", "ready"));
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, and_a_query_that_is_skipped_for_them_gets_its_ready) {
  leg.server(kTimeout);
  leg.link.skip('Q');
  EXPECT_EQ(leg.sent(), pgwire::serialize_sync());
  leg.server(kReady);
  EXPECT_EQ(leg.client_got, kTimeout + kReady);
  EXPECT_TRUE(leg.link.is_quiet());
}

TEST_P(ErrorsUnasked, but_not_where_the_flush_was_the_clients) {
  leg.expect(3, 'D');
  leg.server(message('n'));
  forward_flush();
  leg.link.ask_for_answers();
  leg.server(kTimeout);
  leg.sent();
  leg.link.skip('Q');
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, but_not_one_behind_another_message_that_is_skipped) {
  leg.server(kTimeout);
  leg.link.skip('P');
  leg.link.skip('Q');
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, a_query_behind_a_flush_is_fenced) {
  leg.link.fence();
  EXPECT_EQ(leg.sent(), close_own());
  leg.expect(3, 'Q');
  for (const char type : {'Q', 'P', 'S', 'H', 'd'}) EXPECT_TRUE(leg.link.must_wait(type)) << type;
  EXPECT_FALSE(leg.link.must_wait('X'));
  leg.server(kClosed);
  EXPECT_FALSE(leg.link.must_wait('Q'));
  const std::string answers = message('C', text("SELECT 1")) + kReady;
  leg.server(answers);
  EXPECT_EQ(leg.client_got, answers);
  EXPECT_THAT(
      told, ElementsAre("completion 'SELECT 1' of 3, 14 bytes", "status I", "ended 3 Z", "ready"));
}

TEST_P(ErrorsUnasked, a_flush_that_fails_in_front_of_a_query_does_not_fail_the_query) {
  leg.link.fence();
  leg.expect(3, 'Q');
  leg.sent();
  leg.server(kTimeout);
  EXPECT_THAT(told, ElementsAre("error 57014, own of 0, 0 bytes", "ended 3 -"));
  EXPECT_EQ(leg.sent(), pgwire::serialize_sync());
  EXPECT_FALSE(leg.link.must_wait('Q'));
  leg.server(kReady);
  EXPECT_EQ(leg.client_got, kTimeout + kReady);
  leg.expect(4, 'Q');
  leg.server(message('C', text("SELECT 1")) + kReady);
  EXPECT_THAT(told, testing::Contains("completion 'SELECT 1' of 4, 14 bytes"));
}

TEST_P(ErrorsUnasked, an_error_in_front_of_the_fence_has_the_query_skipped_until_the_clients_sync) {
  leg.expect(3, 'D');
  leg.link.ask_for_answers();
  leg.link.fence();
  leg.expect(4, 'Q');
  leg.sent();
  leg.server(kError);
  EXPECT_THAT(told, ElementsAre("error 42601 of 3, 25 bytes", "ended 3 -", "ended 4 -"));
  EXPECT_EQ(leg.sent(), "");
  EXPECT_FALSE(leg.link.must_wait('S'));
  leg.expect(5, 'S');
  leg.server(kReady);
  EXPECT_EQ(leg.client_got, kError + kReady);
}

TEST_P(ErrorsUnasked, an_error_of_an_earlier_batch_leaves_the_fence_where_it_is) {
  leg.expect(3, 'D');
  leg.expect(4, 'S');
  leg.expect(5, 'P');
  leg.link.ask_for_answers();
  leg.link.fence();
  leg.expect(6, 'Q');
  leg.server(kError);
  EXPECT_TRUE(leg.link.must_wait('S'));
  leg.server(kReady + kParsed + kClosed);
  EXPECT_FALSE(leg.link.must_wait('S'));
}

TEST_P(ErrorsUnasked, a_query_that_fails_itself_is_told_from_that) {
  leg.link.fence();
  leg.expect(3, 'Q');
  leg.sent();
  leg.server(kClosed + kError + kReady);
  EXPECT_THAT(told,
              ElementsAre("error 42601 of 3, 25 bytes", "status I, failed", "ended 3 Z", "ready"));
  EXPECT_EQ(leg.sent(), "");
}

// A client that sends COPY data, its end and a Flush at once: the timer of the COPY runs out when all is through.
TEST_P(ErrorsUnasked, of_a_flush_outside_of_any_batch_have_the_query_skipped_as_well) {
  leg.expect(3, 'S');
  leg.server(kReady);
  leg.client_got.clear();
  told.clear();
  forward_flush();
  leg.sent();
  leg.link.fence();
  leg.expect(4, 'Q');
  EXPECT_EQ(leg.sent(), close_own());
  leg.server(kTimeout);
  EXPECT_THAT(told, ElementsAre("error 57014, own of 0, 0 bytes", "ended 4 -"));
  EXPECT_EQ(leg.sent(), pgwire::serialize_sync());
  leg.server(kReady);
  EXPECT_EQ(leg.client_got, kTimeout + kReady);
  EXPECT_EQ(leg.user.wrong, "");

  forward_flush();
  leg.server(kTimeout);
  EXPECT_TRUE(leg.link.owed().is_skipping()) << "the server skips what comes up to a Sync";
  leg.expect(5, 'S');
  leg.server(kReady);
  EXPECT_FALSE(leg.link.owed().is_skipping());
  EXPECT_EQ(leg.user.wrong, "");
}

TEST_P(ErrorsUnasked, nothing_is_fenced_where_no_flush_is_in_front) {
  leg.expect(3, 'D');
  leg.server(message('n'));
  leg.link.fence();
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, nothing_is_fenced_where_the_server_skips) {
  leg.server(kTimeout);
  leg.link.fence();
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, nothing_is_fenced_where_nobody_judges) {
  leg.link.be_exact(false);
  leg.link.fence();
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(ErrorsUnasked, outside_of_a_batch_have_nothing_skipped) {
  leg.expect(3, 'S');
  leg.server(kReady);
  leg.server(kTimeout);
  EXPECT_FALSE(leg.link.owed().is_skipping());
}

TEST_P(ErrorsUnasked, that_are_fatal_have_nothing_skipped) {
  leg.server(kFatal);
  EXPECT_FALSE(leg.link.owed().is_skipping());
  EXPECT_TRUE(leg.link.has_said_why());
}

TEST_P(ErrorsUnasked, copy_data_outside_of_a_copy_would_get_one) {
  EXPECT_FALSE(leg.link.may_send_copy_data());
  leg.link.be_exact(false);
  EXPECT_TRUE(leg.link.may_send_copy_data());
}

TEST_P(ErrorsUnasked, copy_data_behind_the_end_of_the_data_waits_for_that_of_the_copy) {
  leg.link.expect(3, {.request = 'E', .may_copy_in = true});
  EXPECT_TRUE(leg.link.must_wait('d'));
  leg.server(message('G', std::string_view("\0\0\0", 3)));
  EXPECT_FALSE(leg.link.must_wait('d'));
  EXPECT_TRUE(leg.link.may_send_copy_data());
  leg.link.note_copy_end();
  for (const char type : {'d', 'c', 'f'}) EXPECT_TRUE(leg.link.must_wait(type)) << type;
  leg.server(message('C', text("COPY 0")));
  EXPECT_FALSE(leg.link.must_wait('d'));
  EXPECT_FALSE(leg.link.may_send_copy_data());
}

INSTANTIATE_TEST_SUITE_P(Cut, ErrorsUnasked, testing::Values(1, 2, 3, 5, 8, 21, 1 << 20),
                         [](const auto& cut) { return "by_" + std::to_string(cut.param); });

}  // namespace
}  // namespace helios::backend::test
