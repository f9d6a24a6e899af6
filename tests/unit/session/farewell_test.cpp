// SPDX-License-Identifier: Apache-2.0
// Goal: a client that sends something that cannot be followed gets its answers to what came before, and
// then the FATAL; and the time of a statement is not put off by what the client sends behind it.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kRow = message('D', "row");
const std::string kBatch = parse("", "select 1") + bind_to("", "") + execute();
const std::string kBatchAnswer = parsed() + bound() + kRow + complete("SELECT 1");

// Messages that end a session, and what of the FATAL tells them apart.
const std::pair<std::string, const char*> kBad[] = {
    {message('y', "a body"), "invalid frontend message type 121"},
    {message('p', "password"), "invalid frontend message type 112"},
    {"Q\0\0\0\3"s, "invalid message length"},
    {"S\0\1\0\0"s, "invalid message length"},
};

TEST(Farewell, answers_come_first) {
  Witness witness;
  for (const auto& [bad, words] : kBad) {
    for (const Options& options : {Options{}, witness.options()}) {
      const std::string answers =
          complete("SELECT 1") + ready('I') + complete("SELECT 1") + ready('I');
      const std::string queries = query("select 1") + query("select 2");
      const Trace trace = run_every_way(options, {client(queries + bad), server(answers)});
      EXPECT_THAT(trace.to_server, StartsWith(queries));
      EXPECT_THAT(trace.to_client, StartsWith(answers));
      EXPECT_THAT(trace.to_client, HasSubstr(words));
      EXPECT_TRUE(trace.client_closed && trace.server_closed);
    }
  }
}

TEST(Farewell, answers_of_an_open_batch_are_asked_for) {
  Witness witness;
  for (const Options& options : {Options{}, witness.options()}) {
    const Trace trace =
        run_every_way(options, {client(kBatch + message('y', "")), server(kBatchAnswer)});
    EXPECT_EQ(trace.to_server, kBatch + flush());
    EXPECT_THAT(trace.to_client, StartsWith(kBatchAnswer));
    EXPECT_THAT(trace.to_client, HasSubstr("invalid frontend message type 121"));
  }
}

TEST(Farewell, nothing_is_read_behind_it) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(query("select 1") + message('y', "") + query("select 2"));
  harness.client_sends(query("select 3"));
  EXPECT_FALSE(harness.session->wants_client_bytes());
  EXPECT_EQ(harness.to_server, query("select 1"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(harness.session->finished());
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 executed 1"));
}

TEST(Farewell, copy_that_waits_for_data_has_no_answer) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("copy t from stdin"));
  harness.server_sends(message('G', "\0\0\0"s));
  harness.client_sends("d\0\0\0\3"s);
  EXPECT_THAT(harness.to_client, HasSubstr("invalid message length"));
  EXPECT_TRUE(harness.session->finished());
}

// ---- the time of a statement

struct Timed {
  SessionHarness harness;

  explicit Timed(const std::string& messages) : harness(options()) {
    harness.connect();
    harness.client_sends(messages);
  }
  static Options options() {
    Options made;
    made.config.limits.query_timeout_ms = 1000;
    return made;
  }
  // Whether the session is ended within a little more than its time, while the client sends this again and again.
  bool ends_in_spite_of(const std::string& bytes) {
    for (int i = 0; i < 12 && !harness.client_closed; ++i) {
      harness.client_sends(bytes);
      harness.pass_ms(100);
    }
    return harness.client_closed;
  }
};

TEST(QueryTimeout, is_not_put_off_by_what_the_client_sends) {
  for (const std::string& bytes :
       {flush(), sync(), query("select 2"), kBatch, message('c', ""), ""s}) {
    Timed simple(query("select pg_sleep(10)"));
    EXPECT_TRUE(simple.ends_in_spite_of(bytes)) << bytes;
    Timed extended(kBatch + sync());
    EXPECT_TRUE(extended.ends_in_spite_of(bytes)) << bytes;
  }
}

TEST(QueryTimeout, begins_anew_with_the_next_statement) {
  Timed timed(query("select 1") + query("select 2"));
  timed.harness.pass_ms(900);
  timed.harness.server_sends(complete("SELECT 1") + ready('I'));
  timed.harness.pass_ms(900);
  EXPECT_FALSE(timed.harness.client_closed);
  timed.harness.pass_ms(200);
  EXPECT_TRUE(timed.harness.client_closed);
}

TEST(QueryTimeout, answers_that_the_server_keeps_are_asked_for_before_it) {
  Timed timed(kBatch);
  timed.harness.take_to_server();
  timed.harness.pass_ms(1001);
  EXPECT_EQ(timed.harness.to_server, flush());
  EXPECT_FALSE(timed.harness.client_closed);
  timed.harness.server_sends(kBatchAnswer);
  timed.harness.pass_ms(5000);
  EXPECT_FALSE(timed.harness.client_closed);

  Timed busy(kBatch);
  EXPECT_FALSE(busy.ends_in_spite_of(""));
  EXPECT_TRUE(busy.ends_in_spite_of(flush()));
}

TEST(QueryTimeout, data_of_a_copy_takes_the_time_it_takes) {
  Timed timed(query("copy t from stdin"));
  timed.harness.server_sends(message('G', "\0\0\0"s));
  EXPECT_FALSE(timed.ends_in_spite_of(message('d', "1\n")));
  EXPECT_TRUE(timed.ends_in_spite_of(flush()));
}

}  // namespace
}  // namespace helios::session::test
