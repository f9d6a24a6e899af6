// SPDX-License-Identifier: Apache-2.0
// Goal: a text is read by the rules that the server will read it by, also when the message before it
// changes them out of sight.
#include "extended_messages.hpp"
#include "kv/transaction.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Under the one rule a string, under the other a string and an INSERT.
constexpr std::string_view kTwofold = R"(select 'a\'' ; insert into t values (1); --')";

// A session whose plugin notes the statements that it sees, and rewrites "swap".
struct WatchedSession {
  std::vector<std::string> seen;
  std::unique_ptr<SessionHarness> harness;

  explicit WatchedSession(std::string rewritten = {}) {
    auto plugin =
        std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
    plugin->pre_query = [this, rewritten](hooks::Call& call) {
      seen.emplace_back(call.statement->text);
      return call.statement->text == "select swap" ? rewrite(rewritten) : hooks::CallResult{};
    };
    Options options;
    options.plugins = {plugin};
    options.config.kv_sql.readers = {"ann"};
    harness = std::make_unique<SessionHarness>(options);
    harness->connect();
  }
};

const std::string kHiddenOff = parameter("standard_conforming_strings", "off");
const std::string kDone = complete("SELECT 1") + ready('I');

TEST(ReadingRules, text_that_they_matter_to_waits_for_answers) {
  WatchedSession session;
  session.harness->client_sends(query("select f()") + query(kTwofold));
  EXPECT_THAT(session.seen, ElementsAre("select f()"));
  EXPECT_EQ(session.harness->take_to_server(), query("select f()"));
  session.harness->server_sends(complete("SELECT 1") + kHiddenOff + ready('I'));
  EXPECT_THAT(session.seen,
              ElementsAre("select f()", R"(select 'a\'')", "insert into t values (1)"));
  EXPECT_EQ(session.harness->take_to_server(), query(kTwofold));
}

TEST(ReadingRules, bytes_beyond_ascii_wait_too) {
  WatchedSession session;
  const std::string text = "select e'\x81\\' ; insert into t values (1); --'";
  session.harness->client_sends(query("select f()") + query(text));
  EXPECT_EQ(session.seen.size(), 1U);
  session.harness->server_sends(complete("SELECT 1") + parameter("client_encoding", "SJIS") +
                                ready('I'));
  EXPECT_EQ(session.seen.size(), 1U);
  EXPECT_NE(session.harness->to_client.find("0A000"), std::string::npos);
  EXPECT_EQ(session.harness->to_server, query("select f()"));
}

TEST(ReadingRules, plain_text_does_not_wait) {
  WatchedSession session;
  session.harness->client_sends(query("select f()") + query("select 2; select 'x'"));
  EXPECT_EQ(session.harness->to_server, query("select f()") + query("select 2; select 'x'"));
}

TEST(ReadingRules, nothing_out_is_nothing_to_wait_for) {
  WatchedSession session;
  session.harness->client_sends(query(kTwofold));
  EXPECT_EQ(session.harness->to_server, query(kTwofold));
}

TEST(ReadingRules, changed_text_waits_and_is_sent_when_they_have_stayed) {
  WatchedSession session(R"(select 'a\b')");
  session.harness->client_sends(query("select f()") + query("select swap"));
  EXPECT_THAT(session.seen, ElementsAre("select f()", "select swap"));
  EXPECT_EQ(session.harness->take_to_server(), query("select f()"));
  session.harness->server_sends(kDone);
  EXPECT_EQ(session.harness->take_to_server(), query(R"(select 'a\b')"));
}

TEST(ReadingRules, changed_text_is_refused_when_they_have_changed) {
  WatchedSession session(R"(select 'a\b')");
  session.harness->client_sends(query("select f()") + query("select swap"));
  session.harness->take_to_server();
  session.harness->server_sends(complete("SELECT 1") + kHiddenOff + ready('I'));
  EXPECT_EQ(session.harness->take_to_server(), "");
  EXPECT_NE(session.harness->to_client.find("0A000"), std::string::npos);
  EXPECT_TRUE(session.harness->to_client.ends_with(ready('I')));
}

TEST(ReadingRules, state_of_plugins_waits_like_any_other_text) {
  WatchedSession session;
  kv::Transaction transaction(session.harness->store, **session.harness->store.open("p"));
  ASSERT_EQ(transaction.set("key", "\xc3\xbc"), kv::WriteStatus::ok);
  ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
  session.harness->client_sends(query("select f()") + query("select helios.kv('p', 'key')"));
  EXPECT_EQ(session.harness->take_to_server(), query("select f()"));
  session.harness->server_sends(kDone);
  EXPECT_EQ(session.harness->take_to_server(), query("select '\xc3\xbc'::text AS kv"));
}

TEST(ReadingRules, cancel_ends_the_waiting_of_a_changed_text) {
  WatchedSession session(R"(select 'a\b')");
  session.harness->client_sends(query("select f()") + query("select swap"));
  session.harness->take_to_server();
  session.harness->client_lost();
  EXPECT_TRUE(session.harness->session->finished());
  EXPECT_THAT(session.harness->to_client, IsEmpty());
}

// Changes are reported in front of ReadyForQuery only: inside an open batch the server is asked.
TEST(ReadingRules, are_asked_for_inside_an_open_batch) {
  WatchedSession session;
  SessionHarness& harness = *session.harness;
  const std::string batch =
      parse("", "set standard_conforming_strings = off") + bind_to("", "") + execute();
  harness.client_sends(batch + query(kTwofold));
  EXPECT_THAT(session.seen, IsEmpty());
  EXPECT_EQ(harness.take_to_server(), batch + message('H', ""));
  harness.server_sends(parsed() + bound() + complete("SET"));
  const std::string question = harness.take_to_server();
  EXPECT_NE(question.find("SHOW standard_conforming_strings"), std::string::npos);
  EXPECT_TRUE(question.ends_with(message('H', "")));
  EXPECT_THAT(session.seen, IsEmpty());
  EXPECT_EQ(harness.take_to_client(), parsed() + bound() + complete("SET"));

  const auto answer = [](const std::string& value) {
    std::string row("\0\1\0\0\0", 5);
    row.push_back(static_cast<char>(value.size()));
    return closed() + parsed() + bound() + message('D', row + value) + complete("SHOW") + closed();
  };
  harness.server_sends(answer("off") + answer("UTF8") + closed());
  EXPECT_EQ(harness.take_to_client(), "");
  EXPECT_THAT(session.seen, ElementsAre(R"(select 'a\'')", "insert into t values (1)"));
  // The Flush behind the questions could still fail, and have the query skipped.
  EXPECT_EQ(harness.take_to_server(), close_statement("heliosproxy session-1") + query(kTwofold));
  harness.client_sends(sync());
  EXPECT_EQ(harness.take_to_server(), "");
  harness.server_sends(closed());
  EXPECT_EQ(harness.take_to_server(), sync());
  EXPECT_EQ(harness.take_to_client(), "");
}

// The server calls the input functions of constants where it reads a text, or reads it anew to describe it.
TEST(ReadingRules, parse_hides_that_they_change) {
  for (const bool is_described : {false, true}) {
    WatchedSession session;
    SessionHarness& harness = *session.harness;
    const std::string first = parse("x", "select '{}'::d[]") + sync();
    const std::string described = message('D', "Sx\0"s);
    if (is_described) {
      harness.client_sends(first);
      harness.server_sends(parsed() + ready('I'));
      harness.take_to_server();
    }
    harness.client_sends((is_described ? described : parse("y", "select '{}'::d[]")) +
                         query(kTwofold));
    EXPECT_THAT(session.seen, IsEmpty());
    harness.take_to_server();
    harness.server_sends(is_described ? message('t', "\0\0"s) + message('n', "") : parsed());
    EXPECT_THAT(harness.take_to_server(), HasSubstr("SHOW standard_conforming_strings"));
    EXPECT_THAT(session.seen, IsEmpty());
  }
}

// The transaction had failed: the text is skipped, however it reads. A Query is answered to its end, by a Sync of the
// proxy's.
TEST(ReadingRules, that_cannot_be_asked_for_do_not_hold_up_what_is_skipped) {
  WatchedSession session;
  SessionHarness& harness = *session.harness;
  const std::string batch = parse("", "select 1") + bind_to("", "") + execute();
  harness.client_sends(batch + query(kTwofold) + sync());
  harness.server_sends(parsed() + bound() + complete("SELECT 1"));
  harness.take_to_server();
  harness.server_sends(closed() + error("25P02", "current transaction is aborted"));
  EXPECT_EQ(harness.take_to_server(), query(kTwofold) + sync() + sync());
  harness.server_sends(ready('E') + ready('E'));
  const std::string answer = harness.take_to_client();
  EXPECT_NE(answer.find("0A000"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with(ready('E') + ready('E')));
}

}  // namespace
}  // namespace helios::session::test
