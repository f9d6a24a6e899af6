// SPDX-License-Identifier: Apache-2.0
// Goal: a Query of several statements with limits is one message and one transaction for the client, and nothing behind an
// answer that was cut runs.
#include "capping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kBegun = complete("BEGIN") + ready('T');

TEST(QueryPieces, pieces_are_one_message_in_a_block_of_the_proxys) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("insert into t values (1); select rows=2; select 3;") + query("select 4")),
       server(kBegun),
       server(complete("INSERT 0 1") + described() + row() + complete("SELECT 1") + ready('T')),
       server(described() + row() + complete("SELECT 1") + ready('T')),
       server(complete("COMMIT") + ready('I')), server(complete("SELECT 4") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("BEGIN") + query("insert into t values (1); select rows=2") +
                                 query("select 3") + query("COMMIT") + query("select 4"));
  EXPECT_EQ(trace.to_client, complete("INSERT 0 1") + described() + row() + complete("SELECT 1") +
                                 described() + row() + complete("SELECT 1") + ready('I') +
                                 complete("SELECT 4") + ready('I'));
}

TEST(QueryPieces, nothing_runs_behind_a_cut_and_all_is_undone) {
  Capping capping;
  const std::vector<Step> begin = {
      client(query("insert into t values (1); select rows=1; insert into t values (2)") +
             query("select 4")),
      server(kBegun), server(complete("INSERT 0 1") + described() + row() + row())};
  const std::string passed = complete("INSERT 0 1") + described() + row() +
                             cut("1 row", "1 row of 12 bytes") + ready('I') + complete("SELECT 4") +
                             ready('I');
  std::vector<Step> cancel_first = begin;
  for (Step step :
       {server(cancelled_by_user() + ready('E')), cancelled(),
        server(complete("ROLLBACK") + ready('I')), server(complete("SELECT 4") + ready('I'))})
    cancel_first.push_back(step);
  const Trace first = run_every_way(capping.options(), cancel_first);
  const std::string sent = query("BEGIN") + query("insert into t values (1); select rows=1");
  EXPECT_EQ(first.to_client, passed);
  EXPECT_EQ(first.to_server, sent + query("ROLLBACK") + query("select 4"));

  std::vector<Step> end_first = begin;
  for (Step step :
       {server(complete("SELECT 2") + ready('T')), cancelled(), server(syntax_error() + ready('E')),
        server(complete("ROLLBACK") + ready('I')), server(complete("SELECT 4") + ready('I'))})
    end_first.push_back(step);
  capping.events.clear();
  const Trace second = run_every_way(capping.options(), end_first);
  EXPECT_EQ(second.to_client, passed);
  EXPECT_EQ(second.to_server, sent + failing_query() + query("ROLLBACK") + query("select 4"));
  capping.events.clear();
  run_scenario(capping.options(), end_first);
  EXPECT_THAT(
      capping.events,
      ElementsAre("pre insert into t values (1)", "pre select rows=1",
                  "pre insert into t values (2)", "post insert into t values (1) executed 1",
                  "post select rows=1 failed 54000 1", "post insert into t values (2) skipped",
                  "pre select 4", "post select 4 executed 4"));
}

TEST(QueryPieces, error_of_a_piece_ends_the_query) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("select rows=2; select 1/0; select 3") + query("select 4")), server(kBegun),
       server(complete("SELECT 1") + ready('T')),
       server(error("22012", "division by zero") + ready('E')),
       server(complete("ROLLBACK") + ready('I')), server(complete("SELECT 4") + ready('I'))});
  EXPECT_EQ(trace.to_client, complete("SELECT 1") + error("22012", "division by zero") +
                                 ready('I') + complete("SELECT 4") + ready('I'));
}

TEST(QueryPieces, error_of_the_commit_is_the_clients) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(), {client(query("insert into t values (1); select rows=2")), server(kBegun),
                          server(complete("INSERT 0 1") + complete("SELECT 1") + ready('T')),
                          server(error("23503", "deferred") + ready('I'))});
  EXPECT_EQ(trace.to_client, complete("INSERT 0 1") + complete("SELECT 1") +
                                 error("23503", "deferred") + ready('I'));
}

TEST(QueryPieces, block_of_the_clients_is_left_to_it) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("begin; select rows=1; commit") + query("rollback")),
       server(complete("BEGIN") + row() + row() + complete("SELECT 2") + ready('T')), cancelled(),
       server(syntax_error() + ready('E')), server(complete("ROLLBACK") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("begin; select rows=1") + failing_query() + query("rollback"));
  EXPECT_EQ(trace.to_client, complete("BEGIN") + row() + cut("1 row", "1 row of 12 bytes") +
                                 ready('E') + complete("ROLLBACK") + ready('I'));
}

TEST(QueryPieces, block_that_the_text_begins_and_ends_is_committed_by_it) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(), {client(query("begin; select rows=1; commit")),
                          server(complete("BEGIN") + row() + complete("SELECT 1") + ready('T')),
                          server(complete("COMMIT") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("begin; select rows=1") + query("commit"));
  EXPECT_EQ(trace.to_client,
            complete("BEGIN") + row() + complete("SELECT 1") + complete("COMMIT") + ready('I'));
}

TEST(QueryPieces, last_statement_in_an_open_block_needs_no_pieces) {
  Capping capping;
  const std::string text = "insert into t values (1); select rows=1";
  const Trace trace =
      run_every_way(capping.options(),
                    {client(query("begin")), server(kBegun), client(query(text)),
                     server(complete("INSERT 0 1") + row() + complete("SELECT 1") + ready('T'))});
  EXPECT_EQ(trace.to_server, query("begin") + query(text));
}

TEST(QueryPieces, declare_and_fetch_in_one_query_share_the_limit) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(), {client(query("declare c cursor for select 'rows=1'; fetch all from c")),
                          server(kBegun), server(complete("DECLARE CURSOR") + ready('T')),
                          server(row() + row() + cancelled_by_user() + ready('E')), cancelled(),
                          server(complete("ROLLBACK") + ready('I'))});
  EXPECT_EQ(trace.to_client,
            complete("DECLARE CURSOR") + row() + cut("1 row", "1 row of 12 bytes") + ready('I'));
}

TEST(QueryPieces, replaced_statements_stand_in_their_piece) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("select 1; select 'rewrite rows=1'; select 3; select rewrite")), server(kBegun),
       server(complete("SELECT 1") + complete("SELECT 1") + ready('T')),
       server(complete("SELECT 1") + complete("SELECT 1") + ready('T')),
       server(complete("COMMIT") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("BEGIN") + query("select 1; select 'new'\n") +
                                 query("select 3; select 'new'") + query("COMMIT"));
}

TEST(QueryPieces, texts_that_cannot_be_put_into_a_block_are_refused) {
  for (const std::string_view text :
       {"select rows=1; commit; select 2", "select rows=1; begin",
        "begin; select rows=1; commit; select 2", "copy t from stdin; select rows=1"}) {
    Capping capping;
    SessionHarness harness(capping.options());
    harness.connect();
    harness.client_sends(query(text));
    EXPECT_EQ(harness.to_server, "") << text;
    EXPECT_THAT(harness.to_client, HasSubstr("0A000")) << text;
    EXPECT_THAT(capping.events.back(), HasSubstr("refused 0A000")) << text;
  }
}

TEST(QueryPieces, piece_that_would_be_read_otherwise_is_not_sent) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(query("select set_config('standard_conforming_strings', 'off', false), 'rows=1'; "
                    "select 'a\\'; drop table t; --'")),
       server(kBegun),
       server(row() + complete("SELECT 1") + parameter("standard_conforming_strings", "off") +
              ready('T')),
       server(error("22012", "division by zero") + ready('E')),
       server(complete("ROLLBACK") + parameter("standard_conforming_strings", "on") + ready('I'))});
  EXPECT_THAT(trace.to_server, Not(HasSubstr("drop table")));
  EXPECT_THAT(trace.to_client, HasSubstr("has changed amid its statements"));
}

TEST(QueryPieces, lost_connection_between_pieces_is_told_once) {
  Capping capping;
  SessionHarness harness(capping.options());
  harness.connect();
  harness.client_sends(query("select rows=0; select 2"));
  harness.server_sends(kBegun + row() + cancelled_by_user() + ready('E'));
  harness.server_eof();
  harness.cap_cancelled();
  EXPECT_EQ(capping.events.back(), "post select 2 lost");
  EXPECT_THAT(harness.to_client, HasSubstr("08006"));
}

}  // namespace
}  // namespace helios::session::test
