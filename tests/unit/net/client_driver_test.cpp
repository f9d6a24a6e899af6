// SPDX-License-Identifier: Apache-2.0
//
// Goal: a client and its link, driven, pass every byte on, whatever pieces they come in and whoever is slow, and leave
// nothing behind whenever somebody goes. Without sockets, and in the same order each time.

#include "unit/net/driven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using testing::HasSubstr;

TEST(ClientDriver, passes_every_byte_whatever_pieces_they_come_in) {
  for (const std::size_t cut : {1, 2, 3, 5, 7, 64, 1000, 65536}) {
    SCOPED_TRACE(cut);
    Driven driven;
    driven.engine.cut = cut;
    driven.dial();
    for (const Part& part : kConversation) driven.say(part);
    EXPECT_EQ(driven.client().got(), said_by(false));
    EXPECT_EQ(driven.server().got(), said_by(true));
    EXPECT_EQ(driven.complaint(), "");
  }
}

TEST(ClientDriver, leaves_nothing_behind_whoever_goes_and_whenever) {
  for (const bool is_client : {true, false}) {
    for (const bool is_break : {true, false}) {
      for (std::size_t at = 0; at < kConversation.size(); ++at) {
        SCOPED_TRACE(testing::Message()
                     << "client " << is_client << ", break " << is_break << ", behind part " << at);
        Driven driven;
        driven.dial();
        for (std::size_t part = 0; part <= at; ++part) {
          if (!driven.server().is_closed()) driven.say(kConversation[part]);
        }
        SimulatedStream& who = is_client ? driven.client() : driven.server();
        is_break ? who.breaks() : who.ends();
        driven.engine.settle();
        // A client that only says nothing more is served to the end of the server.
        if (is_client && !is_break) driven.server().ends();
        EXPECT_EQ(driven.complaint(), "");
      }
    }
  }
}

TEST(ClientDriver, half_a_text_is_nothing) {
  const std::string half = query("SELECT 1");
  for (std::size_t size = 1; size < half.size(); ++size) {
    Driven driven(true);
    driven.dial();
    driven.say({false, kGreeting});
    const std::size_t before = driven.server().got().size();
    driven.say({true, half.substr(0, size)});
    driven.client().breaks();
    EXPECT_EQ(driven.complaint(), "");
    EXPECT_THAT(driven.server().got().substr(before), testing::AnyOf("", message('X', ""))) << size;
  }
}

TEST(ClientDriver, does_not_read_what_a_slow_client_cannot_take) {
  Driven driven;
  driven.dial();
  driven.say({false, kGreeting});
  driven.say({true, query("SELECT 1")});
  driven.client().reads(0);
  const std::string row = message('D', std::string(100'000, 'x'));
  for (int i = 0; i < 100; ++i) driven.server().says(row);
  driven.engine.settle();
  const std::size_t got = driven.client().got().size();
  EXPECT_EQ(got, kGreeting.size());
  driven.client().reads(std::string::npos);
  driven.say({false, message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I")});
  EXPECT_EQ(driven.client().got().size(), got + 100 * row.size() + 14 + 6);
}

TEST(ClientDriver, tells_a_client_that_there_is_no_server) {
  Driven driven;
  driven.client().says(startup_packet());
  driven.engine.settle();
  while (driven.engine.is_dialling()) driven.engine.refuse_dialled();
  driven.engine.settle();
  EXPECT_THAT(driven.client().got(), HasSubstr("57P03"));
  EXPECT_THAT(driven.client().got(), HasSubstr("Connection refused"));
  EXPECT_EQ(driven.complaint(), "");
}

TEST(ClientDriver, gives_up_a_server_that_does_not_answer_the_login) {
  Driven driven;
  driven.dial();
  driven.engine.pass_ms(4999);
  EXPECT_EQ(driven.client().got(), "");
  driven.engine.pass_ms(2);
  EXPECT_THAT(driven.client().got(), HasSubstr("canceling authentication due to timeout"));
  EXPECT_EQ(driven.complaint(), "");
}

}  // namespace
}  // namespace helios::net
