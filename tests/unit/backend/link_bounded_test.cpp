// SPDX-License-Identifier: Apache-2.0
// Goal: of a bounded answer nothing passes behind the row that may not, the client gets one error as its end, and the server
// agrees that the statement has failed, whether the cancel or the end of the statement was first.
#include "leg.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::backend::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kRow = row("x");  // 12 bytes
const std::string kDescription = message('T', std::string(2, '\0'));
const std::string kFailedBlock = message('Z', "E");
const std::string kFailingQuery = pgwire::serialize_query("answer cut by heliosproxy");
const std::string kFailingExecute = pgwire::serialize_parse("mine", "answer cut by heliosproxy");

std::string done(std::string_view tag) { return message('C', text(tag)); }

class BoundedAnswers : public testing::TestWithParam<std::size_t> {
 protected:
  BoundedAnswers() {
    leg.log_in();
    leg.link.be_exact(true);
    leg.user.replaces_errors = true;
  }
  void run(char request, std::uint64_t rows) {
    leg.link.expect(7, {.request = request, .is_bounded = true});
    leg.user.rows_left = rows;
  }
  void run_piece(bool is_silent = false) {
    leg.link.expect(7,
                    {.request = 'Q', .is_bounded = true, .is_piece = true, .is_silent = is_silent});
  }
  // The server has the cancel request; and whatever the link can do then.
  void note_cancelled() {
    leg.link.note_cancelled();
    leg.server({});
    while (leg.link.step()) {
    }
    leg.client_got += leg.to_client.flatten();
    leg.to_client.clear();
  }

  Leg leg{GetParam()};
  std::vector<std::string>& told = leg.user.told;
};

TEST_P(BoundedAnswers, pass_whole_where_every_row_may) {
  run('Q', 2);
  EXPECT_TRUE(leg.link.must_wait('S'));
  leg.server(kDescription + kRow + kRow + done("SELECT 2"));
  EXPECT_TRUE(leg.link.must_wait('Q'));
  leg.server(kReady);
  EXPECT_FALSE(leg.link.must_wait('Q'));
  EXPECT_EQ(leg.client_got, kDescription + kRow + kRow + done("SELECT 2") + kReady);
  EXPECT_THAT(
      told, ElementsAre("completion 'SELECT 2' of 7, 45 bytes", "status I", "ended 7 Z", "ready"));
}

TEST_P(BoundedAnswers, cancelled_one_ends_with_the_error) {
  run('Q', 1);
  leg.server(kDescription + kRow + kRow + kRow);
  EXPECT_EQ(leg.client_got, kDescription + kRow);
  EXPECT_FALSE(leg.link.is_amid_message());
  leg.server(kRow + kError + kReady);
  EXPECT_EQ(leg.client_got, kDescription + kRow + kReady) << "the user says what was wrong";
  EXPECT_THAT(told, ElementsAre("cut 7 at a row of 12 bytes", "error 42601 of 7, 44 bytes",
                                "status I, failed", "ended 7 Z", "ready"));
  EXPECT_TRUE(leg.link.must_wait('Q')) << "the cancel may still be on its way";
  EXPECT_FALSE(leg.link.make_rules_certain());
  note_cancelled();
  EXPECT_FALSE(leg.link.must_wait('Q'));
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(BoundedAnswers, notices_count_for_the_answer_that_they_come_with) {
  const std::string notice = message('N', text("C00000") + text("Mhello") + std::string(1, '\0'));
  const std::string bytes = std::to_string(notice.size());
  leg.link.expect(6, {.request = 'Q'});
  leg.server(notice + done("DO") + kReady);
  EXPECT_EQ(told.front(), "completion 'DO' of 6, " +
                              std::to_string(notice.size() + done("DO").size()) + " bytes");
  told.clear();
  leg.client_got.clear();
  run('Q', 1);
  leg.server(notice + kRow);
  EXPECT_EQ(leg.client_got, notice + kRow);
  leg.user.passes_notices = false;
  leg.server(notice + notice + kRow + kError + kReady);
  EXPECT_EQ(leg.client_got, notice + kRow + kReady) << "nothing passes behind it";
  EXPECT_EQ(told.front(), "cut 7 at a notice of " + bytes + " bytes");
  EXPECT_TRUE(leg.link.must_wait('Q')) << "the cancel may still be on its way";
  note_cancelled();
  leg.server(notice);
  EXPECT_EQ(leg.client_got, notice + kRow + kReady + notice) << "that is of no statement";
}

TEST_P(BoundedAnswers, row_that_may_not_pass_is_never_begun) {
  run('Q', 0);
  const std::string large = row(std::string(5000, 'x'));
  leg.server(large.substr(0, 4000));
  EXPECT_EQ(leg.client_got, "");
  EXPECT_FALSE(leg.link.is_amid_message());
  EXPECT_LT(leg.link.held_bytes(), 4000U) << "nor is it kept";
  leg.server(large.substr(4000) + kError + kReady);
  EXPECT_EQ(leg.client_got, kReady);
}

TEST_P(BoundedAnswers, query_that_was_faster_fails_inside_its_block) {
  run('Q', 1);
  leg.server(kRow + kRow + done("SELECT 2") + kReadyInBlock);
  EXPECT_EQ(leg.client_got, kRow);
  EXPECT_EQ(leg.sent(), "") << "it might be cancelled";
  note_cancelled();
  EXPECT_EQ(leg.sent(), kFailingQuery);
  EXPECT_TRUE(leg.link.must_wait('Q'));
  leg.server(kError + kFailedBlock);
  EXPECT_EQ(leg.client_got, kRow + kFailedBlock);
  EXPECT_THAT(told, ElementsAre("cut 7 at a row of 12 bytes", "error 42601 of 7, 37 bytes",
                                "status E, failed", "ended 7 Z", "ready"));
}

TEST_P(BoundedAnswers, query_that_was_faster_and_is_committed_is_told_as_such) {
  run('Q', 1);
  leg.server(kRow + kRow + done("SELECT 2") + kReady);
  EXPECT_EQ(leg.client_got, kRow + kReady);
  EXPECT_THAT(told,
              ElementsAre("cut 7 at a row of 12 bytes", "cut completion 'SELECT 2' of 7, 12 bytes",
                          "status I", "ended 7 Z", "ready"));
  note_cancelled();
  EXPECT_EQ(leg.sent(), "");
}

TEST_P(BoundedAnswers, execute_that_was_faster_fails_before_its_sync) {
  for (const std::string& end : {done("SELECT 2"), message('s')}) {
    told.clear();
    leg.client_got.clear();
    run('E', 1);
    EXPECT_TRUE(leg.link.must_wait('S'));
    leg.server(kRow + kRow + end);
    EXPECT_TRUE(leg.link.must_wait('S'));
    note_cancelled();
    EXPECT_EQ(leg.sent(), kFailingExecute);
    leg.server(kError);
    EXPECT_FALSE(leg.link.must_wait('S'));
    EXPECT_TRUE(leg.link.owed().is_skipping());
    leg.expect(8, 'S');
    leg.server(kReady);
    EXPECT_EQ(leg.client_got, kRow + kReady);
    EXPECT_THAT(told, ElementsAre("cut 7 at a row of 12 bytes", "error 42601 of 7, 37 bytes",
                                  "ended 7 -", "status I, failed", "ended 8 Z", "ready"));
  }
}

TEST_P(BoundedAnswers, copy_is_cut_between_its_messages) {
  run('Q', 1);
  const std::string begin = message('H', std::string(3, '\0'));
  const std::string data = message('d', "a\tb\n");
  leg.server(begin + data + data + message('c') + done("COPY 2") + kReadyInBlock);
  EXPECT_EQ(leg.client_got, begin + data);
  note_cancelled();
  EXPECT_EQ(leg.sent(), kFailingQuery);
}

TEST_P(BoundedAnswers, notices_are_part_of_what_is_dropped) {
  run('Q', 0);
  const std::string notice = message('N', std::string("SWARNING\0C01000\0Mhm\0\0", 21));
  leg.server(kRow + notice + kRow + kError + kReady);
  EXPECT_EQ(leg.client_got, kReady);
}

TEST_P(BoundedAnswers, end_of_the_connection_passes) {
  run('Q', 0);
  leg.user.replaces_errors = false;
  leg.server(kRow + kRow + kFatal);
  EXPECT_EQ(leg.client_got, kFatal);
  EXPECT_TRUE(leg.link.has_said_why());
}

TEST_P(BoundedAnswers, pieces_are_one_query_for_the_client) {
  run_piece(true);
  leg.server(done("BEGIN") + kReadyInBlock);
  EXPECT_EQ(leg.client_got, "");
  EXPECT_TRUE(leg.link.is_in_block());
  run_piece();
  leg.server(done("INSERT 0 1") + kRow + done("SELECT 1") + kReadyInBlock);
  run_piece(true);
  leg.user.is_last = true;
  leg.server(done("COMMIT") + kReady);
  EXPECT_EQ(leg.client_got, done("INSERT 0 1") + kRow + done("SELECT 1") + kReady);
  EXPECT_THAT(told, ElementsAre("piece 7 T", "completion 'INSERT 0 1' of 7, 16 bytes",
                                "completion 'SELECT 1' of 7, 26 bytes", "piece 7 T", "piece 7 I",
                                "status I", "ended 7 Z", "ready"));
}

TEST_P(BoundedAnswers, piece_that_was_faster_fails_inside_the_block) {
  run_piece(true);
  leg.server(done("BEGIN") + kReadyInBlock);
  run_piece();
  leg.user.rows_left = 0;
  leg.server(kRow + done("SELECT 1") + kReadyInBlock);
  note_cancelled();
  EXPECT_EQ(leg.sent(), kFailingQuery);
  leg.server(kError + kFailedBlock);
  run_piece(true);
  leg.user.is_last = true;
  leg.server(done("ROLLBACK") + kReady);
  EXPECT_EQ(leg.client_got, kReady);
  EXPECT_THAT(told, ElementsAre("piece 7 T", "cut 7 at a row of 12 bytes",
                                "error 42601 of 7, 25 bytes", "piece 7 E, failed",
                                "piece 7 I, failed", "status I, failed", "ended 7 Z", "ready"));
}

TEST_P(BoundedAnswers, lies_about_what_was_cut_end_the_link) {
  const std::string copy_in = message('G', std::string(3, '\0'));
  for (const std::string& lie :
       {kReady, copy_in, done("SELECT 1") + kRow, done("SELECT 1") + done("SELECT 1"),
        done("SELECT 1") + kReadyInBlock + kReadyInBlock}) {
    Leg lying{GetParam()};
    lying.log_in();
    lying.link.be_exact(true);
    lying.link.expect(7, {.request = 'Q', .is_bounded = true});
    lying.user.rows_left = 0;
    lying.server(kRow + lie);
    EXPECT_EQ(lying.user.wrong, "sent an answer that does not fit what it was asked");
    EXPECT_EQ(lying.client_got, "");
  }
}

TEST(BoundedAnswer, error_too_long_to_be_read_is_not_told_beside_the_users_own) {
  Leg leg{1U << 25};
  leg.log_in();
  leg.link.be_exact(true);
  leg.user.replaces_errors = true;
  leg.user.rows_left = 0;
  leg.link.expect(7, {.request = 'Q', .is_bounded = true});
  leg.server(kRow);
  const std::string head = "SERROR" + std::string(1, '\0') + "C42601" + std::string(1, '\0') + "M";
  leg.server(message('E', head + std::string(17U << 20, 'x') + std::string(2, '\0')) + kReady);
  EXPECT_EQ(leg.client_got, kReady);
}

INSTANTIATE_TEST_SUITE_P(Pieces, BoundedAnswers, testing::Values(1U, 3U, 1U << 25),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace helios::backend::test
