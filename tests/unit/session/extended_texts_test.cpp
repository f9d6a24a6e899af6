// SPDX-License-Identifier: Apache-2.0
// Goal: what runs in the place of a bound text (a plugin's text, its rows, helios.kv()) does so without
// the client noticing more than the result.
#include "extended_messages.hpp"
#include "kv/transaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string replaced(std::string_view portal, std::string_view text, std::string_view types,
                     std::string_view values) {
  std::string out = close_statement(kPrivateName);
  out += pgwire::serialize_parse(kPrivateName, text, types);
  return out + pgwire::serialize_bind(portal, kPrivateName, values, {});
}

using namespace std::string_literals;

TEST(ExtendedRewrite, portal_is_bound_to_the_plugins_text_and_the_client_sees_only_the_result) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) { return rewrite("select $1, 'more'"); };
  const std::string head = parse("", "select $1");
  const Trace trace = run_every_way(
      witness.options(),
      {client(head + bind_to("p", "", {"a"}) + execute("p", 5) + sync()),
       server(parsed() + closed() + parsed() + bound() + complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_server,
            head + replaced("p", "select $1, 'more'", "\0\1\0\0\0\0"s, "\0\1\0\0\0\1\0\0\0\1a"s) +
                execute("p", 5) + sync());
  EXPECT_EQ(trace.to_client, parsed() + bound() + complete("SELECT 1") + ready('I'));
}

TEST(ExtendedRewrite, parameters_that_the_text_does_not_use_are_left_out_or_declared) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) { return rewrite("select $2"); };
  SessionHarness harness(witness.options());
  harness.connect();
  const std::string head = parse("", "select $1, $2, $3");
  harness.client_sends(head + bind_to("", "", {"a", "b", "c"}) + execute() + sync());
  EXPECT_EQ(harness.to_server, head +
                                   replaced("", "select $2", "\0\2\0\0\0\x19\0\0\0\0"s,
                                            "\0\2\0\0\0\0\0\2\0\0\0\1a\0\0\0\1b"s) +
                                   execute() + sync());
}

TEST(ExtendedRewrite, formats_of_columns_are_kept) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) { return rewrite("select 3, 4"); };
  SessionHarness harness(witness.options());
  harness.connect();
  const std::string formats = "\0\2\0\1\0\0"s;
  const std::string head = parse("", "select 1, 2");
  harness.client_sends(head + pgwire::serialize_bind("", "", {}, formats) + execute() + sync());
  EXPECT_EQ(harness.to_server,
            head + close_statement(kPrivateName) + parse(kPrivateName, "select 3, 4") +
                pgwire::serialize_bind("", kPrivateName, {}, formats) + execute() + sync());
}

TEST(ExtendedRewrite, error_in_the_plugins_text_is_the_error_of_the_bind) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) { return rewrite("select * from missing"); };
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select 1") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + closed() + error("42P01", "no such table") + ready('I'));
  EXPECT_EQ(harness.to_client, parsed() + error("42P01", "no such table") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("post select 1 failed"));
}

TEST(ExtendedAnswer, plugins_rows_come_from_the_server) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) {
    hooks::CallResult result;
    result.verdict.action = hooks::Verdict::Action::answer;
    auto answer = std::make_shared<hooks::Answer>();
    answer->columns = {{.name = "n", .type_oid = 25}};
    answer->rows = {{{"one"}}};
    result.verdict.answer = std::move(answer);
    return result;
  };
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_THAT(harness.to_server, HasSubstr("helios_answer"));
  harness.server_sends(parsed() + closed() + parsed() + bound() + message('D', "row") +
                       complete("SELECT 1") + ready('I'));
  EXPECT_EQ(harness.to_client,
            parsed() + bound() + message('D', "row") + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("post select 1 answered 1"));
}

TEST(ExtendedAnswer, nothing_is_answered_locally_where_a_batch_is_open) {
  Witness witness;
  witness.plugin->pre_query = [](hooks::Call&) {
    hooks::CallResult result;
    result.verdict.action = hooks::Verdict::Action::answer;
    auto answer = std::make_shared<hooks::Answer>();
    answer->columns = {{.name = "n", .type_oid = 25}};
    answer->rows = {{{"one"}}};
    result.verdict.answer = std::move(answer);
    return result;
  };
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select * from missing") + flush());
  harness.server_sends(parsed());
  harness.client_sends(query("select 1"));
  EXPECT_EQ(harness.to_client, parsed());
  EXPECT_THAT(harness.to_server, HasSubstr("helios_answer"));
}

struct ExtendedKv : testing::Test {
  Options options;
  ExtendedKv() { options.config.kv_sql.readers = {"ann"}; }
};

TEST_F(ExtendedKv, parse_gets_the_shape_and_each_bind_fresh_rows) {
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(parse("s", "select * from helios.kv('p')") + sync());
  EXPECT_THAT(harness.take_to_server(), HasSubstr("NULL::text"));
  harness.server_sends(parsed() + ready('I'));
  harness.client_sends(bind_to("", "s") + execute() + sync());
  EXPECT_THAT(harness.take_to_server(), Not(HasSubstr("first")));
  harness.server_sends(closed() + parsed() + bound() + complete("SELECT 0") + ready('I'));
  kv::Transaction transaction(harness.store, **harness.store.open("p"));
  ASSERT_EQ(transaction.set("key", "first value"), kv::WriteStatus::ok);
  ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
  harness.client_sends(bind_to("", "s") + execute() + sync());
  EXPECT_THAT(harness.to_server, HasSubstr("first value"));
}

TEST_F(ExtendedKv, others_may_not_read_it) {
  options.config.kv_sql.readers = {"bob"};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(parse("", "select * from helios.kv()") + sync());
  EXPECT_EQ(harness.to_server, refused_unnamed_parse() + sync());
}

}  // namespace
}  // namespace helios::session::test
