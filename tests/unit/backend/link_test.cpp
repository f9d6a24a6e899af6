// SPDX-License-Identifier: Apache-2.0
// Goal: a link passes on what the server says, wherever it is cut, tells its user what it means, and keeps the answers to
// its own messages from the client.
#include "backend/link.hpp"

#include "leg.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace helios::backend::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Links : public testing::TestWithParam<std::size_t> {
 protected:
  Leg leg{GetParam()};
  std::vector<std::string>& told = leg.user.told;
};

TEST_P(Links, relays_the_login) {
  EXPECT_EQ(leg.sent(), "startup");
  const std::string asks = message('R', std::string_view("\0\0\0\3", 4));
  leg.server(asks);
  EXPECT_TRUE(leg.link.login().is_password_asked());
  leg.link.login().on_password();
  const std::string rest = kAuthenticated + message('S', text("TimeZone") + text("UTC")) +
                           message('S', text("standard_conforming_strings") + text("off")) +
                           message('K', "12345678") + kReady;
  leg.server(rest);
  EXPECT_FALSE(leg.link.login().is_password_asked());
  EXPECT_EQ(leg.client_got, asks + rest);
  EXPECT_THAT(told, ElementsAre("TimeZone=UTC", "key", "logged in"));
  EXPECT_FALSE(leg.link.rules().standard_conforming_strings);
  EXPECT_TRUE(leg.link.is_quiet());
}

TEST_P(Links, does_not_take_a_server_for_ready_that_has_let_nobody_in) {
  leg.server(kReady);
  EXPECT_THAT(told, ElementsAre("malformed"));
  EXPECT_THAT(leg.client_got, IsEmpty());
}

TEST_P(Links, tells_what_the_answers_to_a_query_mean) {
  leg.log_in();
  leg.expect(7, 'Q');
  const std::uint64_t first = leg.link.unit();
  const std::string answers =
      message('T', "xx") + row("1") + message('C', text("SELECT 1")) + message('I') + kReadyInBlock;
  leg.server(answers);
  EXPECT_EQ(leg.client_got, answers);
  EXPECT_THAT(told, ElementsAre("completion 'SELECT 1' of 7, 33 bytes",
                                "completion '' of 7, 5 bytes", "status T", "ended 7 Z", "ready"));
  EXPECT_TRUE(leg.link.is_in_block());
  EXPECT_EQ(first, leg.link.unit());
}

TEST_P(Links, an_error_skips_the_rest_of_a_batch) {
  leg.log_in();
  for (const auto& [tag, request] : {std::pair{1, 'P'}, {2, 'B'}, {3, 'E'}, {4, 'S'}}) {
    leg.expect(static_cast<Tag>(tag), request);
  }
  leg.server(message('1') + kError);
  EXPECT_THAT(told,
              ElementsAre("ended 1 1", "error 42601 of 2, 25 bytes", "ended 2 -", "ended 3 -"));
  told.clear();
  leg.server(kReady);
  EXPECT_THAT(told, ElementsAre("status I, failed", "ended 4 Z", "ready"));
}

TEST_P(Links, an_error_may_be_replaced) {
  leg.log_in();
  leg.user.replaces_errors = true;
  leg.expect(1, 'Q');
  leg.server(kError + kReady);
  EXPECT_EQ(leg.client_got, kReady);
}

TEST_P(Links, answers_to_its_own_messages_are_not_the_clients) {
  leg.log_in();
  leg.link.send_own('C', pgwire::serialize_close_statement("mine"));
  leg.link.send_own('P', pgwire::serialize_parse("mine", "SELECT 1"));
  leg.expect(5, 'B');
  EXPECT_TRUE(leg.link.may_keep_answers());
  leg.link.ask_for_answers();
  EXPECT_FALSE(leg.link.may_keep_answers());
  leg.server(message('3') + message('1') + message('2'));
  EXPECT_EQ(leg.client_got, message('2'));
  EXPECT_THAT(told, ElementsAre("ended 5 2"));
}

TEST_P(Links, an_error_of_its_own_message_is_the_next_one_of_the_clients) {
  leg.log_in();
  leg.link.send_own('P', pgwire::serialize_parse("mine", "what"));
  leg.expect(5, 'B');
  leg.server(kError);
  EXPECT_THAT(told, ElementsAre("error 42601, own of 5, 0 bytes", "ended 5 -"));
}

TEST_P(Links, asks_how_the_server_reads_a_text) {
  leg.log_in();
  leg.expect(1, 'E');
  leg.server(message('C', text("SET")));
  EXPECT_TRUE(leg.link.owed().hides_changes());
  EXPECT_FALSE(leg.link.make_rules_certain());
  const std::string asked = leg.sent();
  EXPECT_THAT(asked, HasSubstr("SHOW standard_conforming_strings"));
  EXPECT_THAT(asked, HasSubstr("SHOW client_encoding"));
  EXPECT_FALSE(leg.link.make_rules_certain());  // it has not answered
  leg.client_got.clear();
  const std::string ends = message('C', text("SHOW")) + message('3');
  leg.server(message('3') + message('1') + message('2') + row("off") + ends + message('3') +
             message('1') + message('2') + row("SJIS") + ends + message('3'));
  EXPECT_THAT(leg.client_got, IsEmpty());
  EXPECT_FALSE(leg.link.owed().hides_changes());
  EXPECT_FALSE(leg.link.rules().standard_conforming_strings);
  EXPECT_FALSE(leg.link.rules().encoding_is_ascii_safe);
}

TEST_P(Links, nothing_is_sent_before_the_server_wants_copy_data_or_not) {
  leg.log_in();
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  EXPECT_TRUE(leg.link.must_wait('Q'));
  leg.server(message('G', std::string_view("\0\0\0", 3)));
  EXPECT_TRUE(leg.link.is_reading_copy());
  EXPECT_FALSE(leg.link.must_wait('d'));
  leg.link.note_copy_end();
  EXPECT_TRUE(leg.link.must_wait('S'));
  leg.server(message('C', text("COPY 1")) + kReady);
  EXPECT_FALSE(leg.link.must_wait('S'));
  EXPECT_EQ(told.back(), "ready");
}

TEST_P(Links, a_stream_of_replication_goes_both_ways) {
  leg.log_in();
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  leg.server(message('W', std::string_view("\0\0\0", 3)) + message('d', "keepalive"));
  EXPECT_TRUE(leg.link.is_reading_copy());
  EXPECT_FALSE(leg.link.must_wait('d'));
  leg.link.note_copy_end();
  leg.server(message('c') + message('C', text("START_STREAMING")) + kReady);
  EXPECT_TRUE(leg.link.is_quiet());
}

// The data ended, the COPY has not been answered: a server keeps that until a Flush.
TEST_P(Links, batch_is_open_again_when_a_copy_has_swallowed_its_sync) {
  leg.log_in();
  leg.link.expect(1, {.request = 'E'});
  leg.link.expect(2, {.request = 'S'});
  EXPECT_FALSE(leg.link.is_batch_open());
  leg.server(message('G', std::string_view("\0\0\0", 3)));
  leg.link.note_copy_end();
  EXPECT_TRUE(leg.link.must_wait('Q'));
  EXPECT_TRUE(leg.link.may_keep_answers());
}

// Whether the server has swallowed the client's Sync, only the server can tell.
TEST_P(Links, behind_a_failed_copy_the_server_is_asked_which_syncs_it_swallowed) {
  for (const bool is_swallowed : {true, false}) {
    SCOPED_TRACE(is_swallowed);
    Leg probed(GetParam());
    probed.log_in();
    probed.link.be_exact(true);
    probed.link.expect(1, {.request = 'Q', .may_copy_in = true});
    probed.server(message('G', std::string_view("\0\0\0", 3)));
    probed.link.expect(2, {.request = 'S', .is_maybe = true});
    probed.sent();
    probed.server(kError);
    EXPECT_EQ(probed.sent(), pgwire::serialize_sync() + pgwire::serialize_query(""));
    EXPECT_TRUE(probed.link.must_wait('Q'));
    probed.client_got.clear();
    probed.server(kReady + (is_swallowed ? "" : kReady) + kReady + message('I') + kReady);
    EXPECT_EQ(probed.client_got, is_swallowed ? kReady : kReady + kReady);
    EXPECT_TRUE(probed.link.is_quiet());
    EXPECT_FALSE(probed.link.must_wait('Q'));
  }
}

TEST_P(Links, where_nobody_judges_nothing_is_asked_nor_held_back) {
  leg.log_in();
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  leg.server(message('G', std::string_view("\0\0\0", 3)));
  leg.link.expect(2, {.request = 'S', .is_maybe = true});
  leg.expect(3, 'Q');
  leg.sent();
  leg.client_got.clear();
  const std::string answers = kError + kReady + kReady + message('C', text("SELECT 1")) + kReady;
  leg.server(answers);
  EXPECT_EQ(leg.sent(), "");
  EXPECT_EQ(leg.client_got, answers);
  EXPECT_TRUE(leg.link.is_quiet());
}

TEST_P(Links, behind_the_clients_end_nothing_is_asked) {
  leg.log_in();
  leg.link.be_exact(true);
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  leg.server(message('G', std::string_view("\0\0\0", 3)));
  leg.link.expect(2, {.request = 'S', .is_maybe = true});
  EXPECT_FALSE(leg.link.is_asking()) << "the server waits for data, and has to hear of the end";
  EXPECT_TRUE(leg.link.finish());
  leg.sent();
  leg.client_got.clear();
  leg.server(kError + kReady + kReady);
  EXPECT_EQ(leg.sent(), "");
  EXPECT_EQ(leg.client_got, kError + kReady + kReady);
}

// Something else than data came. Whether the server still reads data, only the server can tell.
struct Breaking : Leg {
  explicit Breaking(std::size_t piece) : Leg(piece) {
    log_in();
    link.expect(1, {.request = 'Q', .may_copy_in = true});
    server(message('G', std::string_view("\0\0\0", 3)));
    sent();
    client_got.clear();
    link.break_copy();
  }
};

TEST_P(Links, copy_that_the_client_broke_is_made_to_fail) {
  Breaking broken(GetParam());
  EXPECT_EQ(broken.sent(),
            pgwire::serialize_copy_fail("mine: the client has sent something else than data"));
  EXPECT_TRUE(broken.link.must_wait('Q'));
  broken.server(message('E', std::string_view("C57014\0MCOPY failed: mine: what\0\0", 34)));
  EXPECT_EQ(broken.user.told.back(), "copy broken");
  EXPECT_THAT(broken.client_got, IsEmpty());
}

TEST_P(Links, copy_that_had_failed_already_is_not_the_clients_fault) {
  Breaking broken(GetParam());
  broken.server(kError);
  EXPECT_TRUE(broken.link.must_wait('Q'));
  broken.server(kReady);
  EXPECT_EQ(broken.client_got, kError + kReady);
  EXPECT_FALSE(broken.link.must_wait('Q'));
  EXPECT_THAT(broken.user.told, testing::Not(testing::Contains("copy broken")));
}

TEST_P(Links, server_that_ends_says_why_and_is_read_to_its_end) {
  leg.log_in();
  leg.server(kFatal);
  leg.link.on_eof();
  EXPECT_TRUE(leg.link.has_said_why());
  EXPECT_TRUE(leg.link.is_at_end());
  EXPECT_EQ(leg.client_got, kFatal);
}

TEST_P(Links, what_is_no_message_is_not_passed_on) {
  leg.log_in();
  leg.server(message('?'));
  EXPECT_THAT(told, ElementsAre("malformed"));
  EXPECT_THAT(leg.client_got, IsEmpty());
}

TEST_P(Links, a_closed_link_takes_no_more) {
  leg.log_in();
  leg.expect(1, 'Q');
  leg.link.close();
  EXPECT_FALSE(leg.link.is_open());
  leg.link.end_all();
  EXPECT_THAT(told, ElementsAre("ended 1 -"));
}

INSTANTIATE_TEST_SUITE_P(cut, Links, testing::Values(1, 2, 3, 5, 7, 11, 100000),
                         [](const auto& cut) { return std::to_string(cut.param); });

}  // namespace
}  // namespace helios::backend::test
