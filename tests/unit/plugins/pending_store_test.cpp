// SPDX-License-Identifier: Apache-2.0

// Plugins over a store that answers nothing at once: every read has to be fetched, every commit is
// pending. Calls end the same, only later.

#include "support/pending_store.hpp"

#include "plugin_fixture.hpp"
#include "support/manual_executor.hpp"

#include <atomic>
#include <thread>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;

class PendingPluginTest : public PatientPluginTest {
 protected:
  PendingPluginTest() { plugin_store_ = &pending_; }

  // Lets the store answer on this thread, and home go on, until the call has ended.
  void finish(const TestCall& call) {
    while (!call.done()) {
      const std::size_t answered = answers_.run_all();
      const std::size_t resumed = home_.run_all();
      if (answered + resumed == 0) std::this_thread::yield();  // it is on the slow lane
    }
  }
  std::optional<std::string> stored(std::string_view space, std::string_view key) {
    kv::Transaction transaction(pending_.inner(), *pending_.inner().find(space));
    std::string_view out;
    if (transaction.get(key, out) != kv::ReadStatus::value) return std::nullopt;
    return std::string(out);
  }

  test::ManualExecutor answers_;
  test::ManualExecutor home_;
  test::PendingStore pending_{kv::Limits(), clock_, answers_};
};

TEST_F(PendingPluginTest, call_waits_for_its_value_and_for_its_commit) {
  add_guest("counter");
  const auto chain = load_ok();
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home_);
  EXPECT_FALSE(call.start());
  EXPECT_EQ(pending_.counts().fetches, 1U);
  EXPECT_TRUE(answers_.run_one());
  EXPECT_GE(home_.run_all(), 1U);  // beside the call, the stock of instances has work there
  EXPECT_FALSE(call.done());
  EXPECT_EQ(pending_.counts().pending_commits, 1U);
  EXPECT_TRUE(answers_.run_one());
  EXPECT_FALSE(call.done());  // only home may say so
  EXPECT_GE(home_.run_all(), 1U);
  EXPECT_TRUE(call.done());
  EXPECT_EQ(call.result().status, Status::ok);
  EXPECT_EQ(stored("counter", "count:acme"), "1");
  EXPECT_EQ(info("counter").retries, 0U);
}

TEST_F(PendingPluginTest, block_is_answered_after_its_commit) {
  add_guest("blocks");
  const auto chain = load_ok();
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "blocks"), statement, HookPoint::pre_query, home_);
  EXPECT_FALSE(call.start());
  EXPECT_EQ(info("blocks").refusals, 0U);
  finish(call);
  EXPECT_EQ(call.result().verdict.action, hooks::Verdict::Action::block);
  EXPECT_EQ(info("blocks").refusals, 1U);
  EXPECT_EQ(stored("blocks", "key"), "value");
}

TEST_F(PendingPluginTest, conflicts_run_again_and_then_alone) {
  add_guest("counter");
  const auto chain = load_ok();
  for (const std::size_t conflicts : {1U, 3U, 5U}) {
    pending_.fail_commits(conflicts, kv::CommitStatus::conflict);
    Statement statement(chain, "acme");
    TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home_);
    EXPECT_FALSE(call.start());
    finish(call);
    EXPECT_EQ(call.result().status, Status::ok) << call.result().failure;
  }
  EXPECT_EQ(stored("counter", "count:acme"), "3");
  EXPECT_EQ(info("counter").retries, 9U);
  EXPECT_EQ(info("counter").exclusive, 1U);
}

TEST_F(PendingPluginTest, store_failure_fails_the_call) {
  add_guest("counter");
  const auto chain = load_ok();
  const struct {
    kv::CommitStatus status;
    std::string_view failure;
  } kCases[] = {{kv::CommitStatus::failed, "the store failed"},
                {kv::CommitStatus::full, "the store is full"}};
  for (const auto& one : kCases) {
    pending_.fail_commits(1, one.status);
    Statement statement(chain, "acme");
    TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home_);
    EXPECT_FALSE(call.start());
    finish(call);
    EXPECT_EQ(call.result().status, Status::failed);
    EXPECT_TRUE(call.result().failure.starts_with(one.failure)) << call.result().failure;
  }
  EXPECT_EQ(stored("counter", "count:acme"), std::nullopt);
}

TEST_F(PendingPluginTest, endless_conflicts_fail_the_call) {
  add_guest("counter");
  const auto chain = load_ok();
  pending_.fail_commits(1000, kv::CommitStatus::conflict);
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home_);
  call.start();
  finish(call);
  EXPECT_EQ(call.result().status, Status::failed);
  EXPECT_TRUE(call.result().failure.starts_with("the store changed under every one"));
}

TEST_F(PendingPluginTest, plugin_unloaded_meanwhile_finishes_its_call) {
  add_guest("counter");
  auto chain = load_ok();
  auto statement = std::make_unique<Statement>(chain, "acme");
  TestCall call(plugin(chain, "counter"), *statement, HookPoint::pre_query, home_);
  EXPECT_FALSE(call.start());
  remove_file("counter.wat");
  chain = host_->reload(config_).chain;
  EXPECT_FALSE(chain->has_hooks());
  finish(call);
  EXPECT_EQ(call.result().status, Status::ok);
  statement.reset();  // the last who knew the plugin
  EXPECT_EQ(stored("counter", "count:acme"), "1");
}

TEST_F(PendingPluginTest, timeout_is_found_on_the_slow_lane_as_ever) {
  inline_ticks_ = kInlineTicks;
  add_guest("loops");
  const auto chain = load_ok();
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "loops"), statement, HookPoint::pre_query, home_);
  EXPECT_FALSE(call.start());
  finish(call);
  EXPECT_EQ(call.result().failure, "timeout after 100 ms");
}

TEST_F(PendingPluginTest, concurrent_counts_are_exact) {
  add_guest("counter");
  const auto chain = load_ok();
  constexpr int kThreads = 4;
  constexpr int kCalls = 100;
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call)
        EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
      --running;
    });
  while (running != 0)
    if (answers_.run_all() == 0) std::this_thread::yield();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored("counter", "count:acme"), std::to_string(kThreads * kCalls));
}

}  // namespace
}  // namespace helios::plugins
