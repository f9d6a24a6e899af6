// SPDX-License-Identifier: Apache-2.0

// Who is owed a post_query, and what its failure means. Every test runs with plugins that answer at
// once and with plugins that answer pending.

#include "scripted_plugin.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::hooks {
namespace {

using test::Calls;

class PostQuery : public testing::TestWithParam<bool> {
 protected:
  // Runs pre_query, forgets its calls, runs post_query.
  const ChainResult& run(bool is_session_statement = false) {
    if (GetParam()) chain.make_pending();
    chain.run(HookPoint::pre_query, is_session_statement);
    chain.calls.clear();
    const ChainResult& result = chain.run(HookPoint::post_query, is_session_statement);
    EXPECT_FALSE(chain.chain_run.pending());
    EXPECT_FALSE(result.refused) << "nothing can be refused any more";
    return result;
  }

  test::ChainFixture chain;
};

TEST_P(PostQuery, whoever_saw_the_statement_sees_its_end) {
  chain.add(test::both("a"));
  chain.add(test::pre_only("b"));
  chain.add(test::post_only("c"));
  EXPECT_FALSE(run().fatal);
  EXPECT_EQ(chain.calls, (Calls{"a:post", "c:post"}));
}

TEST_P(PostQuery, block_leaves_out_only_those_that_did_not_run) {
  chain.add(test::both("a"));
  chain.add(test::both("b")).pre_query = test::block("no");
  chain.add(test::both("c"));
  chain.add(test::post_only("d"));
  EXPECT_FALSE(run().fatal);
  EXPECT_EQ(chain.calls, (Calls{"a:post", "b:post", "d:post"}));
}

TEST_P(PostQuery, failed_pre_query_is_owed_one_only_under_allow) {
  chain.add(test::both("a", OnError::allow)).pre_query = test::failure("trap");
  chain.add(test::both("b", OnError::deny)).pre_query = test::failure("trap");
  run();
  EXPECT_EQ(chain.calls, (Calls{"a:post"}));
}

TEST_P(PostQuery, is_given_once) {
  chain.add(test::both("a"));
  run();
  EXPECT_EQ(chain.owed(), (std::vector<bool>{false}));
  chain.run(HookPoint::post_query);
  EXPECT_EQ(chain.calls, (Calls{"a:post"})) << "the second run finds nothing owed";
}

TEST_P(PostQuery, failure_under_deny_is_fatal_and_the_others_still_run) {
  chain.add(test::both("a", OnError::deny)).post_query = test::failure("timeout");
  chain.add(test::both("b"));
  chain.add(test::post_only("c"));
  const ChainResult& result = run();
  EXPECT_TRUE(result.fatal);
  EXPECT_EQ(result.sqlstate, "58000");
  EXPECT_EQ(result.message, "plugin \"a\" failed in post_query");
  EXPECT_EQ(chain.calls, (Calls{"a:post", "b:post", "c:post"}));
  EXPECT_EQ(chain.owed(), (std::vector<bool>{false, false, false}));
}

TEST_P(PostQuery, later_success_does_not_undo_a_fatal_failure) {
  chain.add(test::both("a", OnError::deny)).post_query = test::failure("timeout");
  chain.add(test::both("b", OnError::allow)).post_query = test::failure("timeout");
  chain.add(test::both("c"));
  EXPECT_TRUE(run().fatal);
}

TEST_P(PostQuery, failure_under_allow_passes) {
  chain.add(test::both("a", OnError::allow)).post_query = test::failure("trap");
  chain.add(test::both("b"));
  EXPECT_FALSE(run().fatal);
  EXPECT_EQ(chain.calls, (Calls{"a:post", "b:post"}));
}

TEST_P(PostQuery, what_it_returns_is_ignored) {
  chain.add(test::both("a")).post_query = test::block("too late");
  chain.add(test::both("b")).post_query = test::rewrite("SELECT 2");
  const ChainResult& result = run();
  EXPECT_FALSE(result.fatal);
  EXPECT_TRUE(chain.statement.rewritten.empty());
  EXPECT_EQ(chain.calls, (Calls{"a:post", "b:post"}));
}

TEST_P(PostQuery, session_statement_ends_for_those_that_want_all) {
  const auto curious = [](PluginTraits traits) {
    traits.all_statements = true;
    return traits;
  };
  chain.add(test::both("a"));
  chain.add(test::post_only("b"));
  chain.add(curious(test::both("c")));
  chain.add(curious(test::post_only("d")));
  run(true);
  EXPECT_EQ(chain.calls, (Calls{"c:post", "d:post"}));
}

TEST_P(PostQuery, scratch_of_each_plugin_is_kept_for_it) {
  chain.add(test::both("a"));
  chain.add(test::both("b"));
  if (GetParam()) chain.make_pending();
  chain.run(HookPoint::pre_query);
  chain.statement.plugins[1].scratch = {'x'};
  chain.run(HookPoint::post_query);
  EXPECT_TRUE(chain.statement.plugins[0].scratch.empty());
  EXPECT_EQ(chain.statement.plugins[1].scratch, std::vector<char>{'x'});
}

INSTANTIATE_TEST_SUITE_P(Plugins, PostQuery, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& is_pending) {
                           return std::string(is_pending.param ? "answer_pending"
                                                               : "answer_at_once");
                         });

PluginTraits with_settled(PluginTraits traits) {
  traits.has_settled = true;
  return traits;
}

TEST(Settled, whoever_has_the_hook_and_saw_the_statement_is_told_once) {
  test::ChainFixture chain;
  chain.add(with_settled(test::both("a")));
  chain.add(test::both("b"));
  chain.add(with_settled(test::pre_only("c"))).pre_query = test::block("no");
  chain.add(with_settled(test::both("d")));
  chain.add(with_settled(test::post_only("e")));
  for (const HookPoint point : {HookPoint::pre_query, HookPoint::post_query}) chain.run(point);
  EXPECT_TRUE(chain.statement.chain->has_settled());
  chain.calls.clear();
  EXPECT_FALSE(chain.run(HookPoint::settled).fatal);
  EXPECT_EQ(chain.calls, (Calls{"a:settled", "c:settled", "e:settled"}));
}

// "e" has no pre_query: it is told all the same, unless its post_query wanted nothing of it.
TEST(Settled, whoever_has_skipped_it_is_not_told) {
  test::ChainFixture chain;
  CallResult skips;
  skips.skips_settled = true;
  chain.add(with_settled(test::both("a"))).post_query = skips;
  chain.add(with_settled(test::both("b")));
  chain.add(with_settled(test::post_only("e"))).post_query = skips;
  for (const HookPoint point : {HookPoint::pre_query, HookPoint::post_query}) chain.run(point);
  chain.calls.clear();
  EXPECT_FALSE(chain.run(HookPoint::settled).fatal);
  EXPECT_EQ(chain.calls, (Calls{"b:settled"}));
}

TEST(Settled, failure_under_deny_ends_the_session) {
  test::ChainFixture chain;
  chain.add(with_settled(test::both("a"))).post_query = test::failure("broken");
  chain.run(HookPoint::pre_query);
  EXPECT_TRUE(chain.run(HookPoint::settled).fatal);
  EXPECT_EQ(chain.chain_run.result().message, "plugin \"a\" failed in settled");
}

}  // namespace
}  // namespace helios::hooks
