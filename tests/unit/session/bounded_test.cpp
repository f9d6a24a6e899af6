// SPDX-License-Identifier: Apache-2.0
// Goal: a statement runs, and no more of its answer than a plugin lets pass reaches the client; client and server agree on
// what became of it, whichever of cancel and end is first. Of a Query with one statement.
#include "capping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRows2 = "select rows=2";

TEST(Bounded, answer_within_its_limits_passes_as_it_is) {
  Capping capping;
  const std::string answer = described() + row() + row() + complete("SELECT 2") + ready('I');
  const Trace trace =
      run_every_way(capping.options(), {client(query(kRows2) + query("select 2")), server(answer),
                                        server(complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_client, answer + complete("SELECT 1") + ready('I'));
  EXPECT_EQ(trace.to_server, query(kRows2) + query("select 2"));
}

TEST(Bounded, cancelled_statement_has_failed_for_everybody) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(),
                    {client(query(kRows2)), server(described() + row() + row() + row() + row()),
                     server(row() + cancelled_by_user() + ready('I')), cancelled(),
                     client(query("select 1")), server(complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_client, described() + row() + row() + cut("2 rows", "2 rows of 24 bytes") +
                                 ready('I') + complete("SELECT 1") + ready('I'));
  EXPECT_EQ(trace.to_server, query(kRows2) + query("select 1"));
}

TEST(Bounded, hooks_are_told_what_was_sent) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query(kRows2));
  harness.server_sends(described() + row() + row() + row());
  EXPECT_EQ(harness.cap_cancels_sent, 1);
  harness.server_sends(row() + row() + cancelled_by_user() + ready('I'));
  EXPECT_EQ(harness.cap_cancels_sent, 1) << "once is enough";
  EXPECT_THAT(capping.events,
              ElementsAre("pre select rows=2", "post select rows=2 failed 54000 2"));
}

TEST(Bounded, nothing_is_sent_before_the_cancel_is_through) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query(kRows2));
  harness.server_sends(row() + row() + row());
  harness.client_sends(query("select 1") + query("select 2"));
  harness.server_sends(cancelled_by_user() + ready('I'));
  EXPECT_EQ(harness.take_to_server(), query(kRows2)) << "the cancel would meet it";
  harness.cap_cancelled();
  EXPECT_EQ(harness.take_to_server(), query("select 1") + query("select 2"));
  harness.cap_cancelled();  // one too many does nothing
  EXPECT_EQ(harness.take_to_server(), "");
}

TEST(Bounded, cancel_that_is_through_does_not_let_the_next_pass_before_the_answer) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query(kRows2) + query("select 1"));
  harness.server_sends(row() + row() + row());
  harness.cap_cancelled();
  harness.server_sends(row());
  EXPECT_EQ(harness.take_to_server(), query(kRows2));
  harness.server_sends(cancelled_by_user() + ready('I'));
  EXPECT_EQ(harness.take_to_server(), query("select 1"));
}

TEST(Bounded, statement_that_was_faster_and_alone_is_told_as_completed) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(), {client(query(kRows2)), server(described() + row() + row() + row()),
                          server(row() + complete("SELECT 4") + ready('I')), cancelled()});
  EXPECT_EQ(trace.to_client,
            described() + row() + row() + cut("2 rows", "2 rows of 24 bytes", true) + ready('I'));
  EXPECT_EQ(capping.events.back(), "post select rows=2 executed 2");
}

TEST(Bounded, statement_that_was_faster_fails_its_block) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("begin")), server(complete("BEGIN") + ready('T')), client(query(kRows2)),
       server(row() + row() + row() + complete("SELECT 3") + ready('T')), client(query("commit")),
       cancelled(), server(syntax_error() + ready('E')),
       server(complete("ROLLBACK") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("begin") + query(kRows2) + failing_query() + query("commit"));
  EXPECT_EQ(trace.to_client, complete("BEGIN") + ready('T') + row() + row() +
                                 cut("2 rows", "2 rows of 24 bytes") + ready('E') +
                                 complete("ROLLBACK") + ready('I'));
  EXPECT_EQ(capping.events.back(), "post select rows=2 failed 54000 2");
}

TEST(Bounded, own_error_of_the_statement_is_the_cut_all_the_same) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(), {client(query("select rows=0")), server(described() + row()),
                          server(error("22012", "division by zero") + ready('I')), cancelled()});
  EXPECT_EQ(trace.to_client, described() + cut("0 rows", "0 rows of 0 bytes") + ready('I'));
}

TEST(Bounded, statement_without_rows_meets_no_limit) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(), {client(query("update t set a = 1 /* rows=0 */")),
                                        server(complete("UPDATE 1") + ready('I')),
                                        client(query("select 'rows=0 bytes=0'")),
                                        server(described() + complete("SELECT 0") + ready('I'))});
  EXPECT_EQ(trace.to_client,
            complete("UPDATE 1") + ready('I') + described() + complete("SELECT 0") + ready('I'));
}

TEST(Bounded, row_that_is_larger_than_what_is_left_is_not_begun) {
  Capping capping;
  const std::string large = row(std::string(60, 'y'));
  const Trace trace = run_every_way(
      capping.options(), {client(query("select bytes=30")), server(described() + row() + large),
                          server(cancelled_by_user() + ready('I')), cancelled()});
  EXPECT_EQ(trace.to_client,
            described() + row() + cut("30 bytes", "1 row of 12 bytes") + ready('I'));
}

TEST(Bounded, copy_to_the_client_is_counted_by_its_messages) {
  Capping capping;
  const std::string text = "copy (select 'rows=1') to stdout";
  const std::string begin = message('H', std::string(3, '\0'));
  for (const std::string& end :
       {cancelled_by_user() + ready('I'), message('c', "") + complete("COPY 3") + ready('I')}) {
    const bool is_completed = end.starts_with('c');
    const Trace trace =
        run_every_way(capping.options(),
                      {client(query(text)), server(begin + copy_data("a\n") + copy_data("b\n")),
                       server(copy_data("c\n") + end), cancelled()});
    EXPECT_EQ(trace.to_client, begin + copy_data("a\n") +
                                   cut("1 row", "1 row of 7 bytes", is_completed) + ready('I'));
  }
}

TEST(Bounded, copy_from_the_client_has_no_limit) {
  Capping capping;
  const std::string text = "copy t from stdin /* rows=0 bytes=0 */";
  const std::string begin = message('G', std::string(3, '\0'));
  const Trace trace = run_every_way(capping.options(), {client(query(text)), server(begin),
                                                        client(copy_data("a\n") + message('c', "")),
                                                        server(complete("COPY 1") + ready('I'))});
  EXPECT_EQ(trace.to_client, begin + complete("COPY 1") + ready('I'));
  EXPECT_EQ(trace.to_server, query(text) + copy_data("a\n") + message('c', ""));
}

TEST(Bounded, limit_holds_for_what_runs_instead) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(),
                    {client(query("select 'rewrite rows=1'")), server(described() + row() + row()),
                     server(cancelled_by_user() + ready('I')), cancelled()});
  EXPECT_EQ(trace.to_server, query("select 'new'"));
  EXPECT_EQ(trace.to_client, described() + row() + cut("1 row", "1 row of 12 bytes") + ready('I'));
}

TEST(Bounded, rows_of_a_plugin_have_no_limit) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query("select 'answer rows=0'"));
  EXPECT_THAT(harness.to_client, HasSubstr("SELECT 3"));
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.take_to_client();
  harness.client_sends(query("select 'answer rows=0'"));
  harness.server_sends(described() + row("1") + row("2") + row("3") + complete("SELECT 3") +
                       ready('T'));
  EXPECT_EQ(harness.to_client,
            described() + row("1") + row("2") + row("3") + complete("SELECT 3") + ready('T'));
}

TEST(Bounded, end_of_the_server_is_told_as_ever) {
  Capping capping;
  const std::string fatal = error("57P01", "terminating connection", "FATAL");
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query(kRows2));
  harness.server_sends(row() + row() + row() + fatal);
  harness.server_eof();
  harness.cap_cancelled();
  EXPECT_EQ(harness.to_client, row() + row() + fatal);
  EXPECT_TRUE(harness.client_closed);
  EXPECT_EQ(capping.events.back(), "post select rows=2 failed 57P01 2");
}

TEST(Bounded, connection_that_is_lost_amid_what_is_dropped_tells_the_client) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query(kRows2));
  const std::string amid = row(std::string(5000, 'z'));
  harness.server_sends(row() + row() + amid.substr(0, 2000));
  harness.server_eof();
  EXPECT_TRUE(harness.to_client.starts_with(row() + row() + "E"));
  EXPECT_THAT(harness.to_client, HasSubstr("08006"));
  EXPECT_EQ(capping.events.back(), "post select rows=2 lost 2");
}

TEST(Bounded, client_that_has_ended_its_side_gets_its_answer) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(query(kRows2));
  harness.client_eof();
  EXPECT_FALSE(harness.server_finished) << "it may have to be made to fail";
  harness.server_sends(row() + row() + row() + complete("SELECT 3") + ready('T'));
  harness.cap_cancelled();
  harness.server_sends(syntax_error() + ready('E'));
  EXPECT_TRUE(harness.server_finished);
  EXPECT_THAT(harness.to_client, HasSubstr("the answer is limited to 2 rows"));
}

TEST(Bounded, text_that_nobody_can_read_cannot_be_limited) {
  Capping capping;
  Options options = capping.options();
  options.config.protocol.unparsed = config::Policy::allow;
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("selekt rows=1"));
  EXPECT_EQ(harness.to_server, "");
  EXPECT_THAT(harness.to_client, HasSubstr("0A000"));
  EXPECT_EQ(capping.events.back(), "post selekt rows=1 refused 0A000");
}

TEST(Bounded, query_in_an_open_batch_cannot_be_limited) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(parse("", "select 1") + bind_to("", "") + execute() + query(kRows2)),
       server(parsed() + bound() + complete("SELECT 1")), server(syntax_error() + ready('I'))});
  EXPECT_THAT(trace.to_client, HasSubstr("send the Sync first"));
  EXPECT_THAT(trace.to_server, testing::Not(HasSubstr("rows=2")));
}

}  // namespace
}  // namespace helios::session::test
