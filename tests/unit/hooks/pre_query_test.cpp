// SPDX-License-Identifier: Apache-2.0

// What a chain makes of the answers of pre_query. Every test runs with plugins that answer at once and
// with plugins that answer pending.

#include "scripted_plugin.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::hooks {
namespace {

using test::Calls;

class PreQuery : public testing::TestWithParam<bool> {
 protected:
  const ChainResult& run(bool is_session_statement = false) {
    if (GetParam()) chain.make_pending();
    const ChainResult& result = chain.run(HookPoint::pre_query, is_session_statement);
    EXPECT_FALSE(chain.chain_run.pending());
    return result;
  }

  test::ChainFixture chain;
};

TEST_P(PreQuery, plugins_run_in_their_order) {
  chain.add(test::both("a"));
  chain.add(test::both("b"));
  chain.add(test::both("c"));
  EXPECT_FALSE(run().refused);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1", "c:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{true, true, true}));
  EXPECT_TRUE(chain.statement.rewritten.empty());
}

TEST_P(PreQuery, empty_chain_refuses_nothing) {
  EXPECT_FALSE(run().refused);
  EXPECT_TRUE(chain.statement.plugins.empty());
}

TEST_P(PreQuery, plugin_without_it_is_passed_over) {
  chain.add(test::both("a"));
  chain.add(test::post_only("b"));
  chain.add(test::pre_only("c"));
  EXPECT_FALSE(run().refused);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "c:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{true, false, true}));
}

TEST_P(PreQuery, block_ends_the_chain) {
  chain.add(test::both("a"));
  chain.add(test::both("b")).pre_query = test::block("over budget");
  chain.add(test::both("c"));
  const ChainResult& result = run();
  EXPECT_TRUE(result.refused);
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(result.sqlstate, "42000");
  EXPECT_EQ(result.message, "over budget");
  EXPECT_EQ(result.plugin, "b");
  EXPECT_EQ(result.decided_by, DecidedBy::verdict);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{true, true, false}))
      << "whoever ran can give back what it reserved, also the plugin that blocked";
}

TEST_P(PreQuery, block_may_bring_its_own_sqlstate) {
  chain.add(test::both("a")).pre_query = test::block("slow down", "53400");
  EXPECT_EQ(run().sqlstate, "53400");
}

TEST_P(PreQuery, sqlstate_of_another_length_is_replaced) {
  chain.add(test::both("a")).pre_query = test::block("slow down", "534000");
  EXPECT_EQ(run().sqlstate, "42000");
}

TEST_P(PreQuery, rewrite_hands_the_new_text_on) {
  chain.add(test::both("a"));
  chain.add(test::both("b")).pre_query = test::rewrite("SELECT 2");
  chain.add(test::both("c")).pre_query = test::rewrite("SELECT 3");
  chain.add(test::both("d"));
  EXPECT_FALSE(run().refused);
  EXPECT_EQ(chain.calls,
            (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1", "c:pre:SELECT 2", "d:pre:SELECT 3"}));
  EXPECT_EQ(chain.statement.text, "SELECT 1");
  EXPECT_EQ(chain.statement.rewritten, "SELECT 3");
  EXPECT_EQ(chain.statement.current_text(), "SELECT 3");
}

TEST_P(PreQuery, block_after_a_rewrite_refuses) {
  chain.add(test::both("a")).pre_query = test::rewrite("SELECT 2");
  chain.add(test::both("b")).pre_query = test::block("no");
  EXPECT_TRUE(run().refused);
  EXPECT_EQ(chain.calls.back(), "b:pre:SELECT 2");
}

TEST_P(PreQuery, smallest_limit_of_each_kind_holds_and_names_its_plugin) {
  chain.add(test::both("a")).pre_query = test::limits(10, 500, "ask a");
  chain.add(test::both("b")).pre_query = test::limits(9, std::nullopt, "ask b");
  CallResult rewriting = test::rewrite("SELECT 2");
  rewriting.verdict.max_bytes = 500;
  chain.add(test::both("c")).pre_query = rewriting;
  EXPECT_FALSE(run().refused);
  ASSERT_NE(chain.statement.limits, nullptr);
  const AnswerLimits& limits = *chain.statement.limits;
  EXPECT_EQ(limits.rows->most, 9U);
  EXPECT_EQ(limits.rows->plugin, "b");
  EXPECT_EQ(limits.rows->hint, "ask b");
  EXPECT_EQ(limits.bytes->most, 500U);
  EXPECT_EQ(limits.bytes->plugin, "a") << "of equal ones the first";
  EXPECT_EQ(chain.statement.rewritten, "SELECT 2");
}

TEST_P(PreQuery, plugin_that_limits_nothing_costs_nothing) {
  chain.add(test::both("a")).pre_query = test::limits(std::nullopt, std::nullopt, "");
  EXPECT_FALSE(run().refused);
  EXPECT_EQ(chain.statement.limits, nullptr);
}

TEST_P(PreQuery, limits_of_who_blocks_or_fails_do_not_count) {
  CallResult failed = test::limits(1, 1, "");
  failed.status = CallResult::Status::failed;
  chain.add(test::both("a", OnError::allow)).pre_query = failed;
  CallResult blocking = test::block("no");
  blocking.verdict.max_rows = 1;
  chain.add(test::both("b")).pre_query = blocking;
  EXPECT_TRUE(run().refused);
  EXPECT_EQ(chain.statement.limits, nullptr);
}

TEST_P(PreQuery, failure_under_deny_refuses_and_ends_the_chain) {
  chain.add(test::both("a"));
  chain.add(test::both("b", OnError::deny)).pre_query = test::failure("trap: unreachable");
  chain.add(test::both("c"));
  const ChainResult& result = run();
  EXPECT_TRUE(result.refused);
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(result.sqlstate, "58000");
  EXPECT_EQ(result.message, "Query refused: plugin \"b\" failed (trap: unreachable)");
  EXPECT_EQ(result.plugin, "b");
  EXPECT_EQ(result.decided_by, DecidedBy::on_error);
  EXPECT_EQ(result.fault, "trap: unreachable");
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{true, false, false}))
      << "its transaction never happened: there is nothing to give back";
}

TEST_P(PreQuery, place_of_a_failure_is_not_for_the_client) {
  const std::string failure =
      "trap: unreachable [in check at 0x1a2, called by f]; before that [kv] x";
  CallResult failed = test::failure(failure);
  failed.client_failure = "trap: unreachable; before that [kv] x";
  chain.add(test::both("a", OnError::deny)).pre_query = failed;
  const ChainResult& result = run();
  EXPECT_EQ(result.message,
            "Query refused: plugin \"a\" failed (trap: unreachable; before that [kv] x)");
  EXPECT_EQ(result.fault, failure);
}

TEST_P(PreQuery, failure_under_allow_goes_on) {
  chain.add(test::both("a", OnError::allow)).pre_query = test::failure("timeout");
  chain.add(test::both("b"));
  EXPECT_FALSE(run().refused);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{true, true}));
}

TEST_P(PreQuery, verdict_of_a_failed_call_does_not_count) {
  auto& blocks = chain.add(test::both("a", OnError::allow));
  blocks.pre_query = test::block("half an answer");
  blocks.pre_query.status = CallResult::Status::failed;
  auto& rewrites = chain.add(test::both("b", OnError::allow));
  rewrites.pre_query = test::rewrite("SELECT 2");
  rewrites.pre_query.status = CallResult::Status::failed;
  EXPECT_FALSE(run().refused);
  EXPECT_TRUE(chain.statement.rewritten.empty());
}

TEST_P(PreQuery, answer_of_one_plugin_is_not_taken_for_the_next) {
  chain.add(test::both("a", OnError::allow)).pre_query = test::failure("trap");
  chain.add(test::both("b", OnError::deny)).is_silent = true;
  EXPECT_FALSE(run().refused);
}

TEST_P(PreQuery, session_statement_is_shown_to_those_that_want_all) {
  chain.add(test::both("a"));
  PluginTraits curious = test::both("b");
  curious.all_statements = true;
  chain.add(curious);
  EXPECT_FALSE(run(true).refused);
  EXPECT_EQ(chain.calls, (Calls{"b:pre:SELECT 1"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{false, true}));
}

TEST_P(PreQuery, other_statements_are_shown_to_all) {
  chain.add(test::both("a"));
  PluginTraits curious = test::both("b");
  curious.all_statements = true;
  chain.add(curious);
  run(false);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1"}));
}

TEST_P(PreQuery, result_of_the_last_statement_is_forgotten) {
  chain.add(test::both("a")).pre_query = test::block("no");
  EXPECT_TRUE(run().refused);
  const auto fixed = std::make_shared<test::ScriptedPlugin>(test::both("a"), chain.calls);
  StatementExecution next;
  next.text = "SELECT 2";
  next.chain = std::make_shared<Chain>(std::vector<std::shared_ptr<Plugin>>{fixed});
  EXPECT_EQ(chain.chain_run.start(HookPoint::pre_query, next, false), RunStatus::done);
  EXPECT_FALSE(chain.chain_run.result().refused);
  EXPECT_EQ(chain.chain_run.result().message, "");
}

INSTANTIATE_TEST_SUITE_P(Plugins, PreQuery, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& is_pending) {
                           return std::string(is_pending.param ? "answer_pending"
                                                               : "answer_at_once");
                         });

}  // namespace
}  // namespace helios::hooks
