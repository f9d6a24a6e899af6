// SPDX-License-Identifier: Apache-2.0

// Hook calls are transactions: concurrent counters lose nothing, nobody waits for anybody's attempt,
// and an attempt that has been overtaken runs again.

#include "plugin_fixture.hpp"

#include <functional>
#include <thread>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;

// A clock whose answer a test can hold up: asks_time.wat asks between its read and its commit.
class HookedClock final : public base::Clock {
 public:
  std::int64_t monotonic_ns() const override { return 0; }
  std::int64_t wall_ms() const override {
    if (auto hook = std::exchange(on_ask, nullptr)) hook();
    return 0;
  }
  mutable std::function<void()> on_ask;  // called once, by the next who asks
};

TEST_F(PatientPluginTest, concurrent_counts_are_exact) {
  add_guest("counter");
  const auto chain = load_ok();
  constexpr int kThreads = 8;
  constexpr int kCalls = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call)
        EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value("counter", "count:acme"), std::to_string(kThreads * kCalls));
  EXPECT_EQ(info("counter").calls, static_cast<std::uint64_t>(kThreads * kCalls));
}

TEST_F(PatientPluginTest, overtaken_attempt_runs_again_and_the_other_did_not_wait) {
  add_guest("asks_time");
  HookedClock clock;
  plugin_clock_ = &clock;
  const auto chain = load_ok();
  // The first attempt stands between its read and its commit. Another thread's whole call happens
  // there: that it ends is the proof that it does not wait.
  std::optional<hooks::CallResult> other;
  clock.on_ask = [&] {
    std::thread([&] { other = run_hook(chain, "asks_time", HookPoint::pre_query); }).join();
  };
  const auto first = run_hook(chain, "asks_time", HookPoint::pre_query);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->status, Status::ok);
  EXPECT_EQ(first.status, Status::ok);
  EXPECT_EQ(value("asks-time", "n"), "\x02");
  EXPECT_EQ(info("asks_time").calls, 2U);
  EXPECT_EQ(info("asks_time").retries, 1U);
  EXPECT_EQ(info("asks_time").retried_calls, (CallsByRetries{1, 0, 0, 0}));
}

TEST_F(PatientPluginTest, attempt_overtaken_again_and_again_gets_the_namespace_to_itself) {
  add_guest("asks_time");
  HookedClock clock;
  plugin_clock_ = &clock;
  const auto chain = load_ok();
  kv::Namespace& space = **store_.open("asks-time");
  // Whenever the plugin asks for the time, somebody else has just written the key that it read.
  int overtaken = 0;
  std::function<void()> overtake = [&] {
    kv::Transaction transaction(store_, space);
    ASSERT_EQ(transaction.set("n", std::string(1, static_cast<char>(10 * ++overtaken))),
              kv::WriteStatus::ok);
    if (overtaken < 4) clock.on_ask = overtake;
    ASSERT_EQ(transaction.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
  };
  clock.on_ask = overtake;
  EXPECT_EQ(run_hook(chain, "asks_time", HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(overtaken, 4);
  EXPECT_EQ(value("asks-time", "n"), std::string(1, static_cast<char>(41)));
  EXPECT_EQ(info("asks_time").retries, 4U);
  EXPECT_EQ(info("asks_time").retried_calls, (CallsByRetries{0, 0, 0, 1}));
  EXPECT_EQ(info("asks_time").exclusive, 1U);
}

TEST_F(PatientPluginTest, attempt_never_sees_half_of_another_commit) {
  add_guest("reads_twice");
  HookedClock clock;
  plugin_clock_ = &clock;
  const auto chain = load_ok();
  kv::Namespace& space = **store_.open("reads-twice");
  // Between its two reads, somebody writes both keys. The second read must end the attempt.
  clock.on_ask = [&] {
    kv::Transaction transaction(store_, space);
    ASSERT_EQ(transaction.set("a", "1"), kv::WriteStatus::ok);
    ASSERT_EQ(transaction.set("b", "1"), kv::WriteStatus::ok);
    ASSERT_EQ(transaction.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
  };
  const auto result = run_hook(chain, "reads_twice", HookPoint::pre_query);
  EXPECT_EQ(result.status, Status::ok);
  EXPECT_EQ(result.verdict.action, hooks::Verdict::Action::proceed);
  EXPECT_EQ(info("reads_twice").retries, 1U);
}

TEST_F(PatientPluginTest, commit_while_a_call_is_alone_waits_without_blocking) {
  add_guest("counter");
  const auto chain = load_ok();
  kv::Namespace& space = **store_.open("counter");
  std::unique_ptr<kv::Exclusivity> mine;
  store_.request_exclusive(space, [&](auto granted) { mine = std::move(granted); });
  ASSERT_TRUE(mine);

  WaitingExecutor home;
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
  EXPECT_FALSE(call.start());  // its commit waits, this thread does not
  EXPECT_EQ(value("counter", "count:acme"), std::nullopt);
  mine.reset();
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().status, Status::ok);
  EXPECT_EQ(value("counter", "count:acme"), "1");
}

TEST_F(PatientPluginTest, commit_that_waited_and_lost_runs_again) {
  add_guest("counter");
  const auto chain = load_ok();
  kv::Namespace& space = **store_.open("counter");
  std::unique_ptr<kv::Exclusivity> mine;
  store_.request_exclusive(space, [&](auto granted) { mine = std::move(granted); });

  WaitingExecutor home;
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
  EXPECT_FALSE(call.start());
  {
    kv::Transaction transaction(store_, space, mine.get());
    ASSERT_EQ(transaction.set("count:acme", "41"), kv::WriteStatus::ok);
    ASSERT_EQ(transaction.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
  }
  mine.reset();
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(value("counter", "count:acme"), "42");
  EXPECT_EQ(info("counter").retries, 1U);
}

}  // namespace
}  // namespace helios::plugins
