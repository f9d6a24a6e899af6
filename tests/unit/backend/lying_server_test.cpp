// SPDX-License-Identifier: Apache-2.0
// Goal: whatever a server says, the link neither waits for what cannot come nor asks again: what cannot be an answer to what
// was sent is told to its user, wherever it is cut.
#include "backend/link.hpp"
#include "leg.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::backend::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string error(std::string_view sqlstate, std::string_view words) {
  std::string body = std::string("SERROR") + '\0';
  body += "C" + text(sqlstate) + "M" + text(words);
  return message('E', body + '\0');
}

const std::string kCopyIn = message('G', std::string_view("\0\0\0", 3));
const std::string kShown = message('C', text("SHOW"));
// In front of a row, and behind it.
const std::string kBegun = message('3') + message('1') + message('2');
const std::string kEnded = kShown + message('3');
const std::string kStrings = kBegun + row("on") + kEnded;

// A link that has just asked how the server reads a text.
struct Asking : Leg {
  explicit Asking(std::size_t piece) : Leg(piece) {
    log_in();
    link.be_exact(true);
    expect(1, 'E');
    server(message('C', text("SET")));
    EXPECT_FALSE(link.make_rules_certain());
    sent();
    client_got.clear();
    user.told.clear();
  }
};

class LyingServers : public testing::TestWithParam<std::size_t> {
 protected:
  LyingServers() {
    leg.log_in();
    leg.link.be_exact(true);
  }
  Leg leg{GetParam()};
};

TEST_P(LyingServers, what_does_not_answer_show_is_no_rule) {
  const std::string two_columns = message('D', std::string_view("\0\2\0\0\0\2on\0\0\0\2on", 14));
  const std::string null = message('D', std::string_view("\0\1\xff\xff\xff\xff", 6));
  for (const std::string& answer : {kBegun + kEnded,                      // no row
                                    kBegun + row("on") + row("on"),       // two of them
                                    kBegun + two_columns, kBegun + null,  //
                                    kBegun + row("maybe"),                // no value of it
                                    kBegun + message('D'),                // no columns
                                    kBegun + message('I'), kBegun + message('s'), kBegun + kCopyIn,
                                    kStrings + kBegun + kEnded,  // the second question
                                    kStrings + kBegun + row("")}) {
    Asking asking(GetParam());
    asking.server(answer);
    EXPECT_THAT(asking.user.told, ElementsAre("malformed")) << answer;
    EXPECT_EQ(asking.user.wrong, "answered SHOW with something else than a setting");
    EXPECT_THAT(asking.client_got, IsEmpty());
  }
}

TEST_P(LyingServers, its_own_messages_are_answered_by_what_answers_them) {
  for (const std::string& answer :
       {message('1'), message('2'), kShown, message('n'), kReady, message('I'),
        message('3') + message('3'), message('3') + message('1') + message('1'),
        message('3') + message('1') + kCopyIn, kBegun + message('3'), kStrings + message('1')}) {
    Asking asking(GetParam());
    asking.server(answer);
    EXPECT_THAT(asking.user.told, ElementsAre("malformed")) << answer;
    EXPECT_THAT(asking.client_got, IsEmpty());
  }
}

TEST_P(LyingServers, rules_that_the_server_does_not_tell_are_asked_for_once) {
  Asking asking(GetParam());
  asking.server(message('3') + error("25P02", "current transaction is aborted"));
  EXPECT_THAT(asking.client_got, AllOf(HasSubstr("0A000"), HasSubstr("standard_conforming_strings"),
                                       HasSubstr("current transaction is aborted (25P02)")));
  EXPECT_TRUE(asking.link.make_rules_certain()) << "the server skips what comes next";
  EXPECT_EQ(asking.sent(), "");
  asking.client_got.clear();
  asking.expect(2, 'P');
  EXPECT_EQ(asking.sent(), "");
  asking.expect(3, 'S');
  asking.server(kReady);
  EXPECT_EQ(asking.client_got, kReady);
  EXPECT_TRUE(asking.link.is_quiet());
  EXPECT_FALSE(asking.link.owed().hides_changes());
}

TEST_P(LyingServers, query_that_waited_for_the_rules_is_answered_to_its_end) {
  Asking asking(GetParam());
  asking.server(error("42704", "what is that?"));
  EXPECT_TRUE(asking.link.make_rules_certain());
  asking.client_got.clear();
  asking.user.told.clear();
  asking.expect(2, 'Q');
  EXPECT_EQ(asking.sent(), pgwire::serialize_sync());
  EXPECT_THAT(asking.user.told, ElementsAre("ended 2 -"));
  asking.server(kReady);
  EXPECT_EQ(asking.client_got, kReady);
  EXPECT_TRUE(asking.link.is_quiet());
}

TEST_P(LyingServers, cancel_amid_its_question_is_told_in_the_servers_words) {
  Asking asking(GetParam());
  const std::string cancelled = error("57014", "canceling statement due to user request");
  asking.server(cancelled);
  EXPECT_EQ(asking.client_got, cancelled);
  EXPECT_TRUE(asking.link.make_rules_certain());
}

TEST_P(LyingServers, server_that_goes_on_behind_its_error_is_found_out) {
  Asking asking(GetParam());
  asking.server(error("25P02", "no") + message('1'));
  EXPECT_EQ(asking.user.told.back(), "malformed");
  EXPECT_EQ(asking.user.wrong, "sent an answer that nobody had asked for");
}

// A COPY has failed, and a Sync among its data may have been swallowed.
struct Probing : Leg {
  explicit Probing(std::size_t piece) : Leg(piece) {
    log_in();
    link.be_exact(true);
    link.expect(1, {.request = 'Q', .may_copy_in = true});
    server(kCopyIn);
    link.expect(2, {.request = 'S', .is_maybe = true});
    server(kError);
    EXPECT_TRUE(link.is_asking());
    user.told.clear();
    client_got.clear();
  }
};

TEST_P(LyingServers, where_a_copy_failed_only_the_probe_can_be_answered) {
  const std::string empty = message('I');
  for (const std::string& answer :
       {kError, kReady + kError,
        kReady + kReady + kError,                         // an error in place of EmptyQueryResponse
        empty,                                            // nothing in front of it
        kReady + kReady + kReady + kReady,                // more than there were Syncs
        kReady + empty + empty, kReady + empty + kError,  //
        kCopyIn, kReady + kShown, kReady + row("1"), message('1')}) {
    Probing probing(GetParam());
    probing.server(answer);
    EXPECT_EQ(probing.user.told.back(), "malformed") << answer;
    EXPECT_EQ(probing.user.wrong, "did not tell where it stands behind a COPY that had failed");
    EXPECT_THAT(probing.client_got, Not(HasSubstr(kError)));
  }
}

TEST_P(LyingServers, server_may_end_amid_a_probe) {
  Probing probing(GetParam());
  probing.server(kFatal);
  EXPECT_TRUE(probing.link.has_said_why());
  EXPECT_EQ(probing.client_got, kFatal);
  EXPECT_THAT(probing.user.told, Not(Contains("malformed")));
}

TEST_P(LyingServers, copy_that_the_client_broke_does_not_begin_anew) {
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  leg.server(kCopyIn);
  leg.link.break_copy();
  leg.server(kCopyIn);
  EXPECT_EQ(leg.user.told.back(), "malformed");
}

TEST_P(LyingServers, answer_to_something_else_is_not_passed_on) {
  const struct {
    char request;
    std::string answer;
  } cases[] = {{'P', message('2')},
               {'B', message('1')},
               {'C', message('1')},
               {'D', message('1')},
               {'E', message('3')},
               {'S', kShown},
               {'S', kCopyIn},
               {'Q', message('1')},
               {'F', kShown},
               {'P', kCopyIn},
               {'Q', message('R', std::string(4, '\3'))}};
  for (const auto& [request, answer] : cases) {
    SCOPED_TRACE(request + answer);
    Leg asked(GetParam());
    asked.log_in();
    asked.link.be_exact(true);
    asked.expect(1, request);
    asked.server(answer);
    EXPECT_THAT(asked.user.told, ElementsAre("malformed"));
    EXPECT_EQ(asked.user.wrong, "sent an answer that does not fit what it was asked");
    EXPECT_THAT(asked.client_got, IsEmpty());
  }
}

TEST_P(LyingServers, answer_that_nobody_asked_for_is_not_passed_on) {
  for (const std::string& answer : {message('1'), kShown, row("1"), kReady, kCopyIn}) {
    Leg idle(GetParam());
    idle.log_in();
    idle.link.be_exact(true);
    idle.server(answer);
    EXPECT_THAT(idle.user.told, ElementsAre("malformed")) << answer;
    EXPECT_EQ(idle.user.wrong, "sent an answer that nobody had asked for");
    EXPECT_THAT(idle.client_got, IsEmpty());
  }
}

TEST_P(LyingServers, what_servers_send_unasked_is_passed_on) {
  // The last two: a standby that ends what is in the way of its recovery, while its client is idle.
  const std::string unasked = message('N', "Mnote") + message('A', "event") +
                              message('S', text("TimeZone") + text("UTC")) + kError +
                              message('Z', "E");
  leg.server(unasked);
  EXPECT_EQ(leg.client_got, unasked);
  EXPECT_THAT(leg.user.told, Not(Contains("malformed")));
  leg.client_got.clear();
  leg.server(kFatal);
  EXPECT_EQ(leg.client_got, kFatal);
}

TEST_P(LyingServers, where_nobody_judges_the_client_is_told_all) {
  leg.link.be_exact(false);
  const std::string strange = message('1') + kReady + message('R', std::string(4, '\0'));
  leg.server(strange);
  EXPECT_EQ(leg.client_got, strange);
}

// As long as nobody judged, answers were not counted behind a failed COPY.
TEST_P(LyingServers, count_that_was_lost_stays_so) {
  leg.link.be_exact(false);
  leg.link.expect(1, {.request = 'Q', .may_copy_in = true});
  leg.server(kCopyIn);
  leg.link.expect(2, {.request = 'S', .is_maybe = true});
  leg.server(kError);
  leg.link.be_exact(true);
  leg.client_got.clear();
  leg.server(kReady + kReady);
  EXPECT_EQ(leg.client_got, kReady + kReady);
  leg.link.expect(3, {.request = 'Q'});
  EXPECT_TRUE(leg.link.owed().empty())
      << "nobody waits for an answer that cannot be told from others";
}

INSTANTIATE_TEST_SUITE_P(cut, LyingServers, testing::Values(1, 2, 3, 5, 7, 11, 100000),
                         [](const auto& cut) { return std::to_string(cut.param); });

}  // namespace
}  // namespace helios::backend::test
