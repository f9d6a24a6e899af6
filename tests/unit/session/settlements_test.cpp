// SPDX-License-Identifier: Apache-2.0
// Goal: each statement gets one settlement, which is what the server made of its transaction, or unknown
// where that cannot be told.
#include "session/settlements.hpp"

#include "session_harness.hpp"
#include "sql/analyzer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::string_view name_of(std::optional<hooks::Settlement> settlement) {
  if (!settlement) return "?";
  switch (*settlement) {
    case hooks::Settlement::committed: return "committed";
    case hooks::Settlement::rolled_back: return "rolled back";
    case hooks::Settlement::unknown: return "unknown";
  }
  return "?";
}

// A session whose server answers as the test says. Statements are told apart by their tags.
struct SettlementsTest : testing::Test {
  static constexpr std::size_t kLimit = 100;

  std::shared_ptr<const hooks::Chain> chain = std::make_shared<hooks::Chain>(
      std::vector<std::shared_ptr<hooks::Plugin>>{std::make_shared<test::NativePlugin>(
          hooks::PluginTraits{.name = "p", .has_settled = true})});
  Settlements settlements;
  std::vector<std::string> told;
  std::size_t limit = kLimit;

  // A statement of a message: it is complete with `tag`.
  void done(std::string_view text, std::string_view tag = "OK", bool is_alone = true) {
    StatementRun& run = make(text);
    settlements.on_complete(&run, tag, is_alone, limit);
  }
  void fails(std::string_view text, bool is_alone = true) {
    settlements.on_error(&make(text), is_alone);
  }
  // BindComplete: its post_query comes with the ReadyForQuery behind one of the next two.
  void planned(std::string_view text) {
    bound_ = make_run(text);
    settlements.on_progress(bound_.get(), limit);
  }
  void planned_fails() {
    settlements.on_error(bound_.get(), true);
    runs_.push_back(std::move(bound_));
  }
  void planned_is_done(std::string_view tag) {
    settlements.on_complete(bound_.get(), tag, true, limit);
    runs_.push_back(std::move(bound_));
  }
  void unread(std::string_view tag) { settlements.on_complete(nullptr, tag, true, limit); }
  // ReadyForQuery: post_query runs for what came before it.
  void ready(char status) {
    settlements.on_ready(pgwire::TransactionStatus{status});
    post_query();
  }
  void post_query() {
    tell_due();
    for (auto& run : runs_) {
      if (run->execution->settlement) {
        tell(*run->execution);
      } else {
        settlements.keep({std::move(run->execution), false});
      }
    }
    runs_.clear();
    tell_due();
  }
  void message(std::string_view text, std::string_view tag, char status) {
    done(text, tag);
    ready(status);
  }

 private:
  StatementRun& make(std::string_view text) {
    runs_.push_back(make_run(text));
    return *runs_.back();
  }
  std::unique_ptr<StatementRun> make_run(std::string_view text) {
    auto run = std::make_unique<StatementRun>();
    run->analysis = sql::parse(text, {});
    run->statement = &run->analysis->statements[0];
    run->execution = std::make_unique<hooks::StatementExecution>();
    run->execution->command_tag = text;
    run->execution->chain = chain;
    return run;
  }
  void tell(const hooks::StatementExecution& execution) {
    told.push_back(execution.command_tag + ": " + std::string(name_of(execution.settlement)));
  }
  void tell_due() {
    std::vector<EndedStatement> due;
    settlements.take_due(due);
    for (const EndedStatement& statement : due) tell(*statement.execution);
  }

  std::vector<std::unique_ptr<StatementRun>> runs_;
  std::unique_ptr<StatementRun> bound_;
};

TEST_F(SettlementsTest, statement_of_its_own_settles_with_its_answer) {
  message("insert into t values (1)", "INSERT 0 1", 'I');
  fails("select 1/0");
  ready('I');
  EXPECT_THAT(told, ElementsAre("insert into t values (1): committed", "select 1/0: rolled back"));
  EXPECT_TRUE(settlements.empty());
}

TEST_F(SettlementsTest, block_settles_with_commit) {
  message("begin", "BEGIN", 'T');
  message("select 1", "SELECT 1", 'T');
  message("select 2", "SELECT 1", 'T');
  EXPECT_THAT(told, IsEmpty());
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, ElementsAre("begin: committed", "select 1: committed", "select 2: committed",
                                "commit: committed"));
}

TEST_F(SettlementsTest, block_settles_with_rollback) {
  message("begin", "BEGIN", 'T');
  message("select 1", "SELECT 1", 'T');
  message("rollback", "ROLLBACK", 'I');
  EXPECT_THAT(told,
              ElementsAre("begin: rolled back", "select 1: rolled back", "rollback: rolled back"));
}

TEST_F(SettlementsTest, commit_of_a_failed_transaction_is_a_rollback) {
  message("begin", "BEGIN", 'T');
  message("select 1", "SELECT 1", 'T');
  fails("select 2");
  ready('E');
  EXPECT_THAT(told, ElementsAre("select 2: rolled back"));
  message("commit", "ROLLBACK", 'I');
  EXPECT_THAT(told, ElementsAre("select 2: rolled back", "begin: rolled back",
                                "select 1: rolled back", "commit: rolled back"));
}

TEST_F(SettlementsTest, commit_that_fails_is_a_rollback) {
  message("begin", "BEGIN", 'T');
  message("insert into t values (1)", "INSERT 0 1", 'T');
  fails("commit");  // a deferred constraint
  ready('I');
  EXPECT_THAT(told, ElementsAre("begin: rolled back", "insert into t values (1): rolled back",
                                "commit: rolled back"));
}

TEST_F(SettlementsTest, statements_of_one_message_are_one_transaction) {
  done("select 1", "SELECT 1", false);
  done("select 2", "SELECT 1", false);
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 1: committed", "select 2: committed"));
  told.clear();
  done("select 3", "SELECT 1", false);
  fails("select 4", false);
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 3: rolled back", "select 4: rolled back"));
}

TEST_F(SettlementsTest, constraint_that_fails_at_sync_undoes_the_pipeline) {
  done("insert into t values (1)", "INSERT 0 1");
  settlements.on_error(nullptr, true);
  ready('I');
  EXPECT_THAT(told, ElementsAre("insert into t values (1): rolled back"));
}

TEST_F(SettlementsTest, commit_within_a_message_parts_it) {
  done("select 1", "SELECT 1", false);
  done("commit", "COMMIT", false);
  done("select 2", "SELECT 1", false);
  fails("select 3", false);
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 1: committed", "commit: committed", "select 2: rolled back",
                                "select 3: rolled back"));
}

TEST_F(SettlementsTest, begin_within_a_message_takes_what_came_before_with_it) {
  done("select 1", "SELECT 1", false);
  done("begin", "BEGIN", false);
  ready('T');
  EXPECT_THAT(told, IsEmpty());
  message("rollback", "ROLLBACK", 'I');
  EXPECT_THAT(told,
              ElementsAre("select 1: rolled back", "begin: rolled back", "rollback: rolled back"));
}

TEST_F(SettlementsTest, chained_transactions_settle_one_by_one) {
  message("begin", "BEGIN", 'T');
  message("commit and chain", "COMMIT", 'T');
  EXPECT_THAT(told, ElementsAre("begin: committed", "commit and chain: committed"));
  told.clear();
  message("select 1", "SELECT 1", 'T');
  message("rollback and chain", "ROLLBACK", 'T');
  message("select 2", "SELECT 1", 'T');
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, ElementsAre("select 1: rolled back", "rollback and chain: rolled back",
                                "select 2: committed", "commit: committed"));
}

TEST_F(SettlementsTest, rollback_to_a_savepoint_undoes_what_came_after_it) {
  message("begin", "BEGIN", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  message("select 1", "SELECT 1", 'T');
  message("savepoint b", "SAVEPOINT", 'T');
  fails("select 2");
  ready('E');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("select 2: rolled back", "select 1: rolled back",
                                "savepoint b: rolled back"));
  told.clear();
  message("select 3", "SELECT 1", 'T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("rollback to a: rolled back", "select 3: rolled back"));
  told.clear();
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, ElementsAre("begin: committed", "savepoint a: committed",
                                "rollback to a: committed", "commit: committed"));
}

TEST_F(SettlementsTest, newest_savepoint_of_a_name_counts_and_a_released_one_does_not) {
  message("begin", "BEGIN", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  message("select 1", "SELECT 1", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  message("select 2", "SELECT 1", 'T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("select 2: rolled back"));
  told.clear();
  message("release a", "RELEASE", 'T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("select 1: rolled back", "savepoint a: rolled back",
                                "rollback to a: rolled back", "release a: rolled back"));
}

TEST_F(SettlementsTest, savepoint_from_before_the_plugin_undoes_all_that_it_saw) {
  message("select 1", "SELECT 1", 'T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("select 1: rolled back"));
}

TEST_F(SettlementsTest, given_up_savepoint_makes_unknown) {
  message("begin", "BEGIN", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  told.clear();
  limit = 10'000;
  for (int i = 0; i < 5000; ++i) done("savepoint b", "SAVEPOINT");
  ready('T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_EQ(told.front(), "begin: unknown");
}

TEST_F(SettlementsTest, prepared_transaction_is_unknown) {
  message("begin", "BEGIN", 'T');
  message("select 1", "SELECT 1", 'T');
  message("prepare transaction 'x'", "PREPARE TRANSACTION", 'I');
  message("commit prepared 'x'", "COMMIT PREPARED", 'I');
  EXPECT_THAT(told,
              ElementsAre("begin: unknown", "select 1: unknown", "prepare transaction 'x': unknown",
                          "commit prepared 'x': committed"));
}

TEST_F(SettlementsTest, prepare_of_a_failed_transaction_is_a_rollback) {
  message("begin", "BEGIN", 'T');
  fails("select 1");
  ready('E');
  message("prepare transaction 'x'", "ROLLBACK", 'I');
  EXPECT_THAT(told, ElementsAre("select 1: rolled back", "begin: rolled back",
                                "prepare transaction 'x': rolled back"));
}

TEST_F(SettlementsTest, prepare_outside_of_a_block_commits_what_its_pipeline_did) {
  done("select 1", "SELECT 1");
  done("prepare transaction 'x'", "ROLLBACK");
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 1: committed", "prepare transaction 'x': committed"));
}

TEST_F(SettlementsTest, what_ends_transactions_itself_is_doubtful_when_something_fails) {
  for (const char* text :
       {"call p()", "do 'begin commit; end'", "vacuum", "create database d", "drop database d",
        "create index concurrently on t (a)", "drop index concurrently i", "reindex table t",
        "discard all", "rollback prepared 'x'", "alter system set a = 1",
        "alter table t detach partition p concurrently"}) {
    told.clear();
    message(text, "OK", 'I');
    EXPECT_THAT(told, ElementsAre(std::string(text) + ": committed"));
    told.clear();
    fails(text);
    ready('I');
    EXPECT_THAT(told, ElementsAre(std::string(text) + ": unknown"));
    told.clear();
    done("select 1", "SELECT 1");
    done(text);
    done("select 2", "SELECT 1");
    fails("select 3");
    ready('I');
    EXPECT_THAT(told, ElementsAre("select 1: unknown", std::string(text) + ": unknown",
                                  "select 2: rolled back", "select 3: rolled back"));
  }
}

TEST_F(SettlementsTest, procedure_cannot_commit_in_a_block_or_beside_others) {
  message("begin", "BEGIN", 'T');
  fails("call p()");
  ready('E');
  message("rollback", "ROLLBACK", 'I');
  fails("call q()", false);
  ready('I');
  EXPECT_THAT(told, ElementsAre("call p(): rolled back", "begin: rolled back",
                                "rollback: rolled back", "call q(): rolled back"));
}

TEST_F(SettlementsTest, ordinary_ddl_is_not_doubtful) {
  fails("create table t (a int)");
  fails("create index on t (a)");
  fails("drop table t");
  fails("alter table t add b int");
  ready('I');
  EXPECT_THAT(told, testing::Each(testing::EndsWith(": rolled back")));
}

TEST_F(SettlementsTest, unread_statements_settle_by_their_tags) {
  message("select 1", "SELECT 1", 'T');
  unread("COMMIT");
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 1: committed"));
  told.clear();
  message("select 2", "SELECT 1", 'T');
  unread("ROLLBACK");  // or ROLLBACK TO
  ready('T');
  EXPECT_THAT(told, ElementsAre("select 2: unknown"));
}

TEST_F(SettlementsTest, failed_block_that_ends_without_a_word_was_rolled_back) {
  done("select 1", "SELECT 1");
  fails("select 2");
  ready('E');  // PostgreSQL 18, a Query amid a pipeline
  ready('I');
  EXPECT_THAT(told, ElementsAre("select 2: rolled back", "select 1: rolled back"));
}

TEST_F(SettlementsTest, connection_that_ends_quietly_rolls_back) {
  message("select 1", "SELECT 1", 'T');
  settlements.on_end(true);
  post_query();
  EXPECT_THAT(told, ElementsAre("select 1: rolled back"));
}

TEST_F(SettlementsTest, connection_that_ends_amid_a_statement_leaves_unknown) {
  message("select 1", "SELECT 1", 'T');
  done("select 2", "SELECT 1");
  settlements.on_end(false);
  post_query();
  EXPECT_THAT(told, ElementsAre("select 1: unknown", "select 2: unknown"));
}

TEST_F(SettlementsTest, more_than_fit_are_unknown) {
  limit = 2;
  for (int i = 0; i < 3; ++i) message("select 1", "SELECT 1", 'T');
  EXPECT_THAT(told, ElementsAre("select 1: unknown"));
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, ElementsAre("select 1: unknown", "select 1: committed", "select 1: committed",
                                "commit: unknown"));
}

TEST_F(SettlementsTest, statement_that_is_read_in_parts_settles_once) {
  StatementRun run;
  run.analysis = sql::parse("select 1", {});
  run.statement = &run.analysis->statements[0];
  run.execution = std::make_unique<hooks::StatementExecution>();
  run.execution->chain = chain;
  settlements.on_progress(&run, limit);
  settlements.on_ready(pgwire::TransactionStatus::in_transaction);
  settlements.on_progress(&run, limit);
  settlements.on_complete(&run, "SELECT 1", true, limit);
  settlements.on_ready(pgwire::TransactionStatus::in_transaction);
  settlements.keep({std::move(run.execution), false});
  EXPECT_FALSE(settlements.has_due());
  settlements.on_ready(pgwire::TransactionStatus::idle);
  std::vector<EndedStatement> due;
  settlements.take_due(due);
  EXPECT_EQ(due.size(), 1U);
  EXPECT_TRUE(settlements.empty());
}

TEST_F(SettlementsTest, what_is_undone_in_part_is_unknown) {
  message("begin", "BEGIN", 'T');
  planned("insert into t select f()");
  message("savepoint s", "SAVEPOINT", 'T');
  planned_is_done("INSERT 0 1");
  ready('T');
  message("rollback to s", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("insert into t select f(): unknown"));
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, Contains("begin: committed"));
}

TEST_F(SettlementsTest, what_may_have_been_committed_is_unknown_although_it_fails_then) {
  planned("insert into t select f()");
  done("do $$ begin commit; end $$", "DO");
  planned_fails();
  ready('I');
  EXPECT_THAT(told, Contains("insert into t select f(): unknown"));
}

TEST_F(SettlementsTest, what_a_procedure_may_have_undone_is_unknown) {
  done("insert into t values (1)", "INSERT 0 1");
  done("do $$ begin rollback; end $$", "DO");
  done("select 1", "SELECT 1");
  ready('I');
  EXPECT_THAT(told, ElementsAre("insert into t values (1): unknown",
                                "do $$ begin rollback; end $$: committed", "select 1: committed"));
  told.clear();
  done("insert into t values (1)", "INSERT 0 1");
  done("vacuum t", "VACUUM");
  ready('I');
  EXPECT_THAT(told, Contains("insert into t values (1): committed")) << "it only commits";
}

TEST_F(SettlementsTest, savepoint_that_was_given_up_may_bring_back_what_failed) {
  message("begin", "BEGIN", 'T');
  planned("select f()");
  message("savepoint s", "SAVEPOINT", 'T');
  for (int i = 0; i < 4096; ++i) message("savepoint s" + std::to_string(i), "SAVEPOINT", 'T');
  message("release s0", "RELEASE", 'T');
  told.clear();
  planned_fails();
  ready('E');
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(SettlementsTest, release_of_a_savepoint_that_nobody_knows_leaves_none_that_is_certain) {
  message("begin", "BEGIN", 'T');
  message("select 1", "SELECT 1", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  message("release unknown", "RELEASE", 'T');
  told.clear();
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, Contains("select 1: unknown"));
}

TEST_F(SettlementsTest, release_that_nobody_read_leaves_none_that_is_certain) {
  message("begin", "BEGIN", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  message("select 1", "SELECT 1", 'T');
  message("savepoint a", "SAVEPOINT", 'T');
  unread("RELEASE");
  ready('T');
  message("rollback to a", "ROLLBACK", 'T');
  EXPECT_THAT(told, Contains("select 1: unknown"));
}

// Planning has run functions; whether ROLLBACK TO can bring that back depends on where the savepoint is.
TEST_F(SettlementsTest, error_behind_a_savepoint_leaves_what_the_bind_in_front_of_it_has_done) {
  message("begin", "BEGIN", 'T');
  planned("select f()");
  message("savepoint s", "SAVEPOINT", 'T');
  planned_fails();
  ready('E');
  EXPECT_THAT(told, IsEmpty());
  message("rollback to s", "ROLLBACK", 'T');
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, Contains("select f(): committed"));
}

TEST_F(SettlementsTest, error_undoes_what_was_bound_behind_the_newest_savepoint) {
  message("begin", "BEGIN", 'T');
  message("savepoint s", "SAVEPOINT", 'T');
  message("savepoint t", "SAVEPOINT", 'T');
  message("release t", "RELEASE", 'T');
  planned("select f()");
  planned_fails();
  ready('E');
  EXPECT_THAT(told, ElementsAre("select f(): rolled back"));
}

TEST_F(SettlementsTest, savepoint_that_nobody_read_counts_as_the_newest) {
  message("begin", "BEGIN", 'T');
  planned("select f()");
  unread("SAVEPOINT");
  ready('T');
  planned_fails();
  ready('E');
  EXPECT_THAT(told, IsEmpty());
  message("rollback to s", "ROLLBACK", 'T');
  EXPECT_THAT(told, ElementsAre("begin: unknown", "select f(): unknown"));
}

TEST_F(SettlementsTest, command_of_the_transaction_does_nothing_where_it_is_bound) {
  message("begin", "BEGIN", 'T');
  message("savepoint s", "SAVEPOINT", 'T');
  planned("rollback to s");
  planned_is_done("ROLLBACK");
  ready('T');
  message("commit", "COMMIT", 'I');
  EXPECT_THAT(told, ElementsAre("begin: committed", "savepoint s: committed",
                                "rollback to s: committed", "commit: committed"));
}

TEST_F(SettlementsTest, chain_without_settled_is_not_followed) {
  chain = std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
  done("select 1", "SELECT 1");
  EXPECT_TRUE(settlements.empty());
  EXPECT_EQ(settlements.held_bytes(), 0U);
}

}  // namespace
}  // namespace helios::session
