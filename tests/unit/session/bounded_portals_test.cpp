// SPDX-License-Identifier: Apache-2.0
// Goal: the limit of a portal holds for everything that reads it, that of a cursor for all of its FETCHes; what stands behind
// in a pipeline waits, and is undone where the answer was cut.
#include "capping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::HasSubstr;

const std::string kText = "select rows=3";

std::string ask(std::string_view text, std::string_view portal = "", std::int32_t rows = 0) {
  return parse("", text) + bind_to(portal, "") + execute(portal, rows);
}

// In front of the Sync, where the answer was cut and the server was faster.
std::string failing_parse() {
  return pgwire::serialize_parse(kPrivateName, "answer cut by heliosproxy");
}

TEST(BoundedPortals, execute_is_a_fence_and_its_answer_is_asked_for) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(), {client(ask(kText) + parse("", "select 2") + sync()),
                                        server(parsed() + bound() + row() + complete("SELECT 1")),
                                        server(parsed() + ready('I'))});
  EXPECT_EQ(trace.to_server, ask(kText) + flush() + parse("", "select 2") + sync());
  EXPECT_EQ(trace.to_client,
            parsed() + bound() + row() + complete("SELECT 1") + parsed() + ready('I'));
}

TEST(BoundedPortals, pipeline_without_limits_does_not_wait) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(), {client(ask("select 1") + ask("select 2") + sync())});
  EXPECT_EQ(trace.to_server, ask("select 1") + ask("select 2") + sync());
}

TEST(BoundedPortals, rest_of_the_pipeline_is_skipped_behind_a_cut) {
  Capping capping;
  const Trace trace = run_every_way(
      capping.options(),
      {client(ask(kText) + ask("insert into t values (1)") + sync() + query("select 1")),
       server(parsed() + bound() + row() + row() + row() + row()), server(cancelled_by_user()),
       cancelled(), server(ready('I')), server(complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_server, ask(kText) + flush() + sync() + query("select 1"));
  EXPECT_EQ(trace.to_client, parsed() + bound() + row() + row() + row() +
                                 cut("3 rows", "3 rows of 36 bytes") + ready('I') +
                                 complete("SELECT 1") + ready('I'));
}

TEST(BoundedPortals, execute_that_was_faster_is_made_to_fail_before_its_sync) {
  for (const std::string& end : {complete("SELECT 4"), suspended()}) {
    Capping capping;
    const std::int32_t rows = end == suspended() ? 4 : 0;
    const Trace trace = run_every_way(
        capping.options(), {client(ask(kText, "", rows) + sync()),
                            server(parsed() + bound() + row() + row() + row() + row() + end),
                            cancelled(), server(syntax_error()), server(ready('I'))});
    EXPECT_EQ(trace.to_server, ask(kText, "", rows) + flush() + failing_parse() + sync());
    EXPECT_EQ(trace.to_client, parsed() + bound() + row() + row() + row() +
                                   cut("3 rows", "3 rows of 36 bytes") + ready('I'));
    EXPECT_EQ(capping.events.back(), "post select rows=3 failed 54000 3");
  }
}

TEST(BoundedPortals, all_executes_of_a_portal_count_together) {
  Capping capping;
  const Trace trace =
      run_every_way(capping.options(), {client(ask(kText, "", 2) + execute("", 2) + sync()),
                                        server(parsed() + bound() + row() + row() + suspended()),
                                        server(row() + row()), server(cancelled_by_user()),
                                        cancelled(), server(ready('I'))});
  EXPECT_EQ(trace.to_client, parsed() + bound() + row() + row() + suspended() + row() +
                                 cut("3 rows", "3 rows of 36 bytes") + ready('I'));
  EXPECT_EQ(capping.events.back(), "post select rows=3 failed 54000 3");
}

// In a block, so that portals live on behind a Sync.
struct Cursors : testing::Test {
  Capping capping;
  SessionHarness harness{capping.options()};

  Cursors() {
    harness.connect();
    harness.client_sends(query("begin"));
    harness.server_sends(complete("BEGIN") + ready('T'));
  }
  void run(std::string_view text, std::string_view answer) {
    harness.client_sends(query(text));
    harness.take_to_client();
    harness.server_sends(answer);
  }
  // The answer was cut, and the cancel came in time.
  void expect_cut(std::string_view passed, std::string_view limit, std::string_view sent) {
    harness.cap_cancelled();
    EXPECT_EQ(harness.take_to_client(), std::string(passed) + cut(limit, sent) + ready('E'));
  }
  static std::string cancelled_in_block() { return cancelled_by_user() + ready('E'); }
};

TEST_F(Cursors, limit_of_the_declare_holds_for_all_fetches) {
  run("declare c cursor for select 'rows=3'", complete("DECLARE CURSOR") + ready('T'));
  run("fetch 2 from c", row() + row() + complete("FETCH 2") + ready('T'));
  EXPECT_EQ(harness.take_to_client(), row() + row() + complete("FETCH 2") + ready('T'));
  run("fetch 2 from c", row() + row() + cancelled_in_block());
  expect_cut(row(), "3 rows", "3 rows of 36 bytes");
  EXPECT_EQ(capping.events.back(), "post fetch 2 from c failed 54000 1");
}

TEST_F(Cursors, smaller_remainder_wins) {
  run("declare c cursor for select 'rows=3'", complete("DECLARE CURSOR") + ready('T'));
  run("fetch /* rows=1 */ all from c", row() + row() + cancelled_in_block());
  expect_cut(row(), "1 row", "1 row of 12 bytes");
}

TEST_F(Cursors, fetch_of_a_bound_portal_counts_as_its_execute) {
  harness.client_sends(parse("", kText) + bind_to("c", "") + sync());
  harness.server_sends(parsed() + bound() + ready('T'));
  run("fetch 2 from c", row() + row() + complete("FETCH 2") + ready('T'));
  harness.take_to_client();
  harness.client_sends(execute("c") + sync());
  harness.server_sends(row() + row() + cancelled_by_user());
  harness.cap_cancelled();
  harness.server_sends(ready('E'));
  EXPECT_EQ(harness.take_to_client(), row() + cut("3 rows", "3 rows of 36 bytes") + ready('E'));
}

TEST_F(Cursors, execute_of_a_declared_cursor_keeps_to_both_verdicts) {
  run("declare c cursor for select 'rows=3'", complete("DECLARE CURSOR") + ready('T'));
  run("fetch 1 from c", row() + complete("FETCH 1") + ready('T'));
  harness.take_to_client();
  harness.client_sends(execute("c") + sync());
  harness.server_sends(row() + row() + row() + cancelled_by_user());
  harness.cap_cancelled();
  harness.server_sends(ready('E'));
  EXPECT_EQ(harness.take_to_client(),
            row() + row() + cut("3 rows", "3 rows of 36 bytes") + ready('E'));
}

TEST_F(Cursors, portal_that_lives_on_behind_a_savepoint_is_still_limited) {
  harness.client_sends(parse("", kText) + bind_to("c", "") + sync());
  harness.server_sends(parsed() + bound() + ready('T'));
  run("savepoint s", complete("SAVEPOINT") + ready('T'));
  harness.take_to_client();
  harness.client_sends(execute("c", 4) + sync());
  harness.server_sends(row() + row() + row() + row() + suspended());
  harness.cap_cancelled();
  harness.server_sends(syntax_error());
  harness.server_sends(ready('E'));
  run("rollback to s", complete("ROLLBACK") + ready('T'));
  harness.take_to_client();
  harness.client_sends(execute("c") + sync());
  harness.server_sends(row() + cancelled_by_user());
  harness.cap_cancelled();
  harness.server_sends(ready('E'));
  EXPECT_EQ(harness.take_to_client(), cut("3 rows", "3 rows of 36 bytes") + ready('E'));
}

TEST_F(Cursors, fetch_that_was_bound_meets_the_cursor_that_is_there_when_it_runs) {
  run("declare c cursor for select 1", complete("DECLARE CURSOR") + ready('T'));
  harness.client_sends(parse("", "fetch all from c") + bind_to("f", "") + sync());
  harness.server_sends(parsed() + bound() + ready('T'));
  run("close c", complete("CLOSE CURSOR") + ready('T'));
  run("declare c cursor for select 'rows=0'", complete("DECLARE CURSOR") + ready('T'));
  harness.take_to_client();
  harness.client_sends(execute("f") + sync());
  harness.server_sends(row() + cancelled_by_user());
  harness.cap_cancelled();
  harness.server_sends(ready('E'));
  EXPECT_EQ(harness.take_to_client(), cut("0 rows", "0 rows of 0 bytes") + ready('E'));
}

TEST_F(Cursors, one_that_takes_a_limited_ones_name_is_free) {
  run("declare c cursor for select 'rows=0'", complete("DECLARE CURSOR") + ready('T'));
  run("close c", complete("CLOSE CURSOR") + ready('T'));
  run("declare c cursor for select 1", complete("DECLARE CURSOR") + ready('T'));
  run("fetch all from c", row() + row() + complete("FETCH 2") + ready('T'));
  EXPECT_EQ(harness.take_to_client(), row() + row() + complete("FETCH 2") + ready('T'));
}

}  // namespace
}  // namespace helios::session::test
