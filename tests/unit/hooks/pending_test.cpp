// SPDX-License-Identifier: Apache-2.0

// How a chain run waits for a plugin that answers later.

#include "scripted_plugin.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace helios::hooks {
namespace {

using test::Calls;

TEST(PendingHook, answer_at_once_makes_no_progress_call) {
  test::ChainFixture chain;
  chain.add(test::both("a"));
  EXPECT_EQ(chain.start(HookPoint::pre_query), RunStatus::done);
  EXPECT_FALSE(chain.chain_run.pending());
  EXPECT_EQ(chain.home.run_all(), 0U);
  EXPECT_EQ(chain.progress, 0);
}

TEST(PendingHook, run_resumes_on_the_home_executor) {
  test::ChainFixture chain;
  chain.add(test::both("a")).pre_query = test::block("no");
  chain.make_pending();
  ASSERT_EQ(chain.start(HookPoint::pre_query), RunStatus::pending);
  EXPECT_TRUE(chain.chain_run.pending());
  EXPECT_EQ(chain.home.run_all(), 0U) << "the hook has not run yet";
  EXPECT_EQ(chain.elsewhere.run_all(), 1U);
  EXPECT_TRUE(chain.chain_run.pending()) << "the answer waits for the home thread";
  EXPECT_FALSE(chain.chain_run.result().refused);
  EXPECT_EQ(chain.home.run_all(), 1U);
  EXPECT_FALSE(chain.chain_run.pending());
  EXPECT_TRUE(chain.chain_run.result().refused);
  EXPECT_EQ(chain.progress, 1);
}

TEST(PendingHook, several_in_a_row_make_one_progress_call) {
  test::ChainFixture chain;
  chain.add(test::both("a")).pre_query = test::rewrite("SELECT 2");
  chain.add(test::both("b")).pre_query = test::rewrite("SELECT 3");
  chain.add(test::both("c"));
  chain.make_pending();
  ASSERT_EQ(chain.start(HookPoint::pre_query), RunStatus::pending);
  for (std::size_t done = 1; done <= 3; ++done) {
    EXPECT_EQ(chain.progress, 0);
    EXPECT_TRUE(chain.chain_run.pending());
    ASSERT_TRUE(chain.elsewhere.run_one());
    EXPECT_EQ(chain.calls.size(), done) << "one at a time";
    ASSERT_TRUE(chain.home.run_one());
  }
  EXPECT_EQ(chain.progress, 1);
  EXPECT_FALSE(chain.chain_run.pending());
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 2", "c:pre:SELECT 3"}));
  EXPECT_EQ(chain.elsewhere.run_all() + chain.home.run_all(), 0U);
}

TEST(PendingHook, pending_among_others_keeps_the_order) {
  for (std::size_t slow = 0; slow < 3; ++slow) {
    test::ChainFixture chain;
    std::vector<test::ScriptedPlugin*> plugins;
    for (const char* name : {"a", "b", "c"}) plugins.push_back(&chain.add(test::both(name)));
    plugins[slow]->elsewhere = &chain.elsewhere;
    EXPECT_FALSE(chain.run(HookPoint::pre_query).refused);
    EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1", "b:pre:SELECT 1", "c:pre:SELECT 1"}));
    EXPECT_EQ(chain.progress, 1);
    chain.calls.clear();
    EXPECT_FALSE(chain.run(HookPoint::post_query).fatal);
    EXPECT_EQ(chain.calls, (Calls{"a:post", "b:post", "c:post"}));
    EXPECT_EQ(chain.progress, 2);
  }
}

TEST(PendingHook, block_by_a_pending_plugin_ends_the_chain) {
  test::ChainFixture chain;
  chain.add(test::both("a")).pre_query = test::block("no");
  chain.add(test::both("b"));
  chain.make_pending();
  EXPECT_TRUE(chain.run(HookPoint::pre_query).refused);
  EXPECT_EQ(chain.calls, (Calls{"a:pre:SELECT 1"}));
  EXPECT_EQ(chain.progress, 1);
}

TEST(PendingHook, next_statement_may_start_inside_the_progress_call) {
  test::Calls calls;
  helios::test::ManualExecutor home;
  helios::test::ManualExecutor elsewhere;
  const auto plugin = std::make_shared<test::ScriptedPlugin>(test::both("a"), calls);
  plugin->elsewhere = &elsewhere;
  const auto chain = std::make_shared<Chain>(std::vector<std::shared_ptr<Plugin>>{plugin});
  std::vector<StatementExecution> statements(3);
  std::size_t next = 0;
  ChainRun run(home, [&] {
    if (next == statements.size()) return;
    EXPECT_EQ(run.start(HookPoint::pre_query, statements[next++], false), RunStatus::pending);
  });
  for (StatementExecution& statement : statements) {
    statement.text = "SELECT 1";
    statement.chain = chain;
  }
  EXPECT_EQ(run.start(HookPoint::pre_query, statements[next++], false), RunStatus::pending);
  while (elsewhere.run_all() + home.run_all() > 0) {
  }
  EXPECT_FALSE(run.pending());
  EXPECT_EQ(calls.size(), 3U);
  for (const StatementExecution& statement : statements) {
    EXPECT_TRUE(statement.plugins.at(0).post_query_owed);
  }
}

TEST(PendingHook, call_names_the_slot_of_its_plugin) {
  class SlotPlugin final : public Plugin {
   public:
    explicit SlotPlugin(std::string name) : traits_(test::both(std::move(name))) {}
    [[nodiscard]] const PluginTraits& traits() const override { return traits_; }
    RunStatus run(Call& call) override {
      slot = call.slot;
      home = call.home;
      return RunStatus::done;
    }
    std::size_t slot = 99;
    base::Executor* home = nullptr;

   private:
    PluginTraits traits_;
  };
  helios::test::ManualExecutor home;
  const auto second = std::make_shared<SlotPlugin>("b");
  const auto first = std::make_shared<SlotPlugin>("a");
  StatementExecution statement;
  statement.chain = std::make_shared<Chain>(std::vector<std::shared_ptr<Plugin>>{second, first});
  ChainRun run(home, [] {});
  EXPECT_EQ(run.start(HookPoint::pre_query, statement, false), RunStatus::done);
  EXPECT_EQ(first->slot, 0U);
  EXPECT_EQ(second->slot, 1U);
  EXPECT_EQ(second->home, &home);
}

}  // namespace
}  // namespace helios::hooks
