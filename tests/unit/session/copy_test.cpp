// SPDX-License-Identifier: Apache-2.0
// Goal: whatever becomes of a Sync among COPY data, every answer is counted for the message that it
// answers, and the client gets the ReadyForQuery that the server would have given it.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

const std::string kCopyIn = message('G', "\0\0\0"s);
const std::string kBad = message('d', "bad\n");
const std::string kFailed = error("22P02", "invalid input syntax");
const std::string kProbe = sync() + query("");
const std::string kEmpty = message('I', "");

// A COPY by Execute whose data ends in an early Sync; the server asks for data.
struct Copying {
  Witness witness;
  SessionHarness harness{witness.options()};

  explicit Copying(bool is_simple = false) {
    harness.connect();
    const std::string copy = "copy t from stdin";
    harness.client_sends(is_simple ? query(copy) : parse("", copy) + bind_to("", "") + execute());
    harness.server_sends(is_simple ? kCopyIn : parsed() + bound() + kCopyIn);
    harness.take_to_client();
    harness.take_to_server();
    witness.events.clear();
  }
  // The next Query meets its hooks, and is not run when they object.
  void expect_gate_is_shut() {
    harness.client_sends(query("select forbidden"));
    EXPECT_EQ(harness.to_server.find("forbidden"), std::string::npos);
    EXPECT_THAT(witness.events, testing::Contains("pre select forbidden"));
  }
};

TEST(Copy, sync_that_a_failed_copy_left_to_the_server_is_answered_once) {
  Copying copying;
  copying.harness.client_sends(kBad + sync());
  EXPECT_EQ(copying.harness.take_to_server(), kBad + sync());
  copying.harness.server_sends(kFailed);
  EXPECT_EQ(copying.harness.take_to_server(), kProbe);
  copying.harness.server_sends(ready('I') + ready('I') + kEmpty + ready('I'));
  EXPECT_EQ(copying.harness.take_to_client(), kFailed + ready('I'));
  copying.expect_gate_is_shut();
}

TEST(Copy, sync_that_a_failed_copy_swallowed_is_not_answered) {
  Copying copying;
  copying.harness.client_sends(sync() + kBad);
  copying.harness.server_sends(kFailed);
  EXPECT_EQ(copying.harness.take_to_server(), sync() + kBad + kProbe);
  copying.harness.server_sends(ready('I') + kEmpty + ready('I'));
  EXPECT_EQ(copying.harness.take_to_client(), kFailed);
  // As at the server, all is skipped up to the next Sync.
  copying.harness.client_sends(query("select skipped") + sync());
  EXPECT_EQ(copying.harness.take_to_server(), sync());
  copying.harness.server_sends(ready('I'));
  EXPECT_EQ(copying.harness.take_to_client(), ready('I'));
  copying.expect_gate_is_shut();
}

TEST(Copy, nothing_is_judged_or_sent_until_it_is_known) {
  Copying copying;
  copying.harness.client_sends(kBad + sync());
  copying.harness.server_sends(kFailed);
  copying.harness.take_to_server();
  copying.witness.events.clear();
  copying.harness.client_sends(query("select 1"));
  EXPECT_EQ(copying.harness.take_to_server(), "");
  EXPECT_TRUE(copying.witness.events.empty());
  copying.harness.server_sends(ready('I') + ready('I') + kEmpty);
  EXPECT_EQ(copying.harness.take_to_server(), "");
  copying.harness.server_sends(ready('I'));
  EXPECT_EQ(copying.harness.take_to_server(), query("select 1"));
}

TEST(Copy, failed_copy_of_a_query_is_told_from_the_syncs_in_its_data) {
  for (const bool is_swallowed : {false, true}) {
    Copying copying(true);
    copying.harness.client_sends(is_swallowed ? sync() + kBad : kBad + sync());
    copying.harness.server_sends(kFailed + ready('I'));
    copying.harness.server_sends((is_swallowed ? "" : ready('I')) + ready('I') + kEmpty +
                                 ready('I'));
    EXPECT_EQ(copying.harness.take_to_client(),
              kFailed + ready('I') + (is_swallowed ? "" : ready('I')));
    EXPECT_THAT(copying.witness.events, ElementsAre("post copy t from stdin failed"));
    copying.expect_gate_is_shut();
  }
}

TEST(Copy, that_ended_well_has_swallowed_its_syncs_and_the_batch_is_still_open) {
  Copying copying;
  copying.harness.client_sends(sync() + message('d', "1\n") + message('c', "") + sync());
  copying.harness.server_sends(complete("COPY 1") + ready('I'));
  EXPECT_EQ(copying.harness.take_to_client(), complete("COPY 1") + ready('I'));
  copying.expect_gate_is_shut();
}

TEST(Copy, nothing_is_sent_before_the_server_has_asked_for_data) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  const std::string copy = parse("", "copy t from stdin") + bind_to("", "") + execute();
  harness.client_sends(copy + sync());
  EXPECT_EQ(harness.take_to_server(), copy + flush());
  harness.server_sends(parsed() + bound() + error("42P01", "no such table"));
  EXPECT_EQ(harness.take_to_server(), sync());
}

TEST(Copy, flush_asks_for_the_end_of_a_copy_that_others_wait_for) {
  Copying copying;
  const std::string data = sync() + message('d', "1\n") + message('c', "");
  copying.harness.client_sends(data + query("select forbidden") + sync());
  EXPECT_EQ(copying.harness.take_to_server(), data + flush());
}

// Nobody judges, so nobody has read the text: the Sync was sent before it was known that there is a COPY.
TEST(Copy, that_has_swallowed_its_sync_is_asked_for_its_end_by_what_comes_behind) {
  SessionHarness harness{Options{}};
  harness.connect();
  harness.client_sends(parse("", "copy t from stdin") + bind_to("", "") + execute() + sync());
  harness.take_to_server();
  harness.server_sends(parsed() + bound() + kCopyIn);
  harness.client_sends(message('c', "") + query("select 1"));
  EXPECT_EQ(harness.take_to_server(), message('c', "") + flush());
  harness.server_sends(complete("COPY 0"));
  EXPECT_EQ(harness.take_to_server(), query("select 1"));
}

// Nobody judges, so nobody counts which Sync is answered behind the failed COPY.
TEST(Copy, client_that_takes_leave_behind_a_failed_copy_gets_all_its_answers) {
  SessionHarness harness{Options{}};
  harness.connect();
  harness.client_sends(parse("", "copy t from stdin") + bind_to("", "") + execute() + kBad +
                       sync() + query("select 1") + message('X', ""));
  const std::string first = parsed() + bound() + kCopyIn + kFailed;
  const std::string rest = ready('I') + complete("SELECT 1") + ready('I');
  harness.server_sends(first);
  EXPECT_FALSE(harness.client_closed);
  harness.server_sends(rest);
  EXPECT_FALSE(harness.client_closed);
  harness.server_eof();
  EXPECT_EQ(harness.take_to_client(), first + rest);
  EXPECT_TRUE(harness.client_closed);
}

}  // namespace
}  // namespace helios::session::test
