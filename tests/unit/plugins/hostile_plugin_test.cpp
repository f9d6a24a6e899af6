// SPDX-License-Identifier: Apache-2.0

// Guests that misbehave: the call fails with a line that says why, nothing that they wrote is seen,
// and a plugin beside them works on.

#include "hostile_guests.hpp"
#include "plugin_fixture.hpp"

#include <set>
#include <thread>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;

struct Misbehaviour {
  std::string_view guest;
  std::string_view failure;
};

void PrintTo(const Misbehaviour& one, std::ostream* out) { *out << one.guest; }

class HostilePluginTest : public PluginTest, public ::testing::WithParamInterface<Misbehaviour> {};

TEST_P(HostilePluginTest, call_fails_writes_nothing_and_harms_nobody) {
  add_guest(GetParam().guest);
  add_guest("counter");
  const auto chain = load_ok();
  const auto result = run_hook(chain, GetParam().guest, HookPoint::pre_query);
  EXPECT_EQ(result.status, Status::failed);
  EXPECT_NE(result.failure.find(GetParam().failure), std::string::npos) << result.failure;
  EXPECT_EQ(key_count(), 0U);
  EXPECT_EQ(info(GetParam().guest).failures, 1U);
  EXPECT_EQ(info(GetParam().guest).last_error, result.failure);
  EXPECT_EQ(log_.count(base::LogLevel::warning, result.failure), 1U);

  EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("counter", "count:acme"), "1");
}

INSTANTIATE_TEST_SUITE_P(
    Guests, HostilePluginTest,
    ::testing::Values(
        Misbehaviour{"loops", "timeout after 100 ms"}, Misbehaviour{"traps", "trap: unreachable"},
        Misbehaviour{"recurses", "trap: call stack exhausted"},
        Misbehaviour{"grows", "trap: unreachable"}, Misbehaviour{"grows_table", "trap"},
        Misbehaviour{"answers_outside", "outside the plugin's memory"},
        Misbehaviour{"lies_about_length", "outside the plugin's memory"},
        Misbehaviour{"answers_too_much", "answered 4194304 bytes; the limit is 1048576"},
        Misbehaviour{"answers_garbage", "bad answer: not JSON"},
        Misbehaviour{"answers_unknown_action", "bad answer: unknown action \"explode\""},
        Misbehaviour{"passes_bad_pointer", "trap: kv_get was handed a range outside"},
        Misbehaviour{"allocates_outside", "alloc returned room outside"},
        Misbehaviour{"allocates_nothing", "alloc had no room"}),
    [](const auto& one) { return std::string(one.param.guest); });

TEST_F(PluginTest, trap_in_post_query_fails_the_call) {
  add_guest("post_traps");
  const auto chain = load_ok();
  const auto result = run_hook(chain, "post_traps", HookPoint::post_query);
  EXPECT_EQ(result.status, Status::failed);
  EXPECT_EQ(key_count(), 0U);
}

TEST_F(PluginTest, looping_call_leaves_the_event_loop_at_once) {
  add_guest("loops");
  write_file("loops.toml", "[limits]\ntimeout_ms = 50");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, "loops"), statement, HookPoint::pre_query, home);
  EXPECT_FALSE(call.start());
  EXPECT_EQ(info("loops").overruns, 1U);
  EXPECT_EQ(info("loops").failures, 0U);
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().failure, "timeout after 50 ms");
}

TEST_F(PluginTest, others_finish_on_the_same_thread_while_a_call_loops) {
  add_guest("loops");
  add_guest("counter");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement slow(chain, "acme");
  TestCall looping(plugin(chain, "loops"), slow, HookPoint::pre_query, home);
  EXPECT_FALSE(looping.start());
  for (int i = 0; i < 100; ++i) {
    Statement statement(chain, "acme");
    TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
    call.start();
    home.run_until([&] { return call.done(); });
  }
  EXPECT_EQ(value("counter", "count:acme"), "100");
  home.run_until([&] { return looping.done(); });
  EXPECT_EQ(looping.result().status, Status::failed);
}

TEST_F(PluginTest, plugin_that_overruns_three_times_goes_straight_to_the_slow_lane) {
  add_guest("loops");
  const auto chain = load_ok();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(run_hook(chain, "loops", HookPoint::pre_query).failure, "timeout after 100 ms");
  EXPECT_EQ(info("loops").overruns, 3U);
  EXPECT_EQ(info("loops").failures, 5U);
  // The clock of the test stands still, so only the first failure is logged.
  EXPECT_EQ(log_.count("timeout after 100 ms"), 1U);
}

TEST_F(PluginTest, call_that_is_cancelled_ends_at_once_and_is_no_failure) {
  add_guest("loops_if_told");
  config_.limits.timeout_ms = 60'000;
  const auto chain = load_ok();
  put("loops-if-told", "key", "loop");
  WaitingExecutor home;
  Statement statement(chain, "acme");
  // More than there are threads: the last ones have not begun.
  std::deque<TestCall> calls;
  for (int i = 0; i < 4; ++i) {
    calls.emplace_back(plugin(chain, "loops_if_told"), statement, HookPoint::pre_query, home);
    EXPECT_FALSE(calls.back().start());
  }
  for (TestCall& call : calls) call.cancel();
  for (TestCall& call : calls) {
    home.run_until([&] { return call.done(); });
    EXPECT_EQ(call.result().status, Status::failed);
    EXPECT_EQ(call.result().failure, "cancelled");
  }
  EXPECT_EQ(info("loops_if_told").failures, 0U);
  EXPECT_EQ(log_.count("failed"), 0U);
  remove("loops-if-told", "key");
  EXPECT_EQ(run_hook(chain, "loops_if_told", HookPoint::pre_query).status, Status::ok);
}

TEST_F(PluginTest, plugin_that_was_slow_comes_back_when_it_is_quick) {
  // Loops while its state says so.
  add_guest("loops_if_told");
  config_.limits.timeout_ms = 20;
  const auto chain = load_ok();
  put("loops-if-told", "key", "loop");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(run_hook(chain, "loops_if_told", HookPoint::pre_query).status, Status::failed);
  EXPECT_TRUE(info("loops_if_told").is_slow);
  EXPECT_EQ(info("loops_if_told").overruns, 3U);
  remove("loops-if-told", "key");
  for (int i = 0; i < 10'000 && info("loops_if_told").is_slow; ++i) {
    clock_.advance_ms(1000);
    run_hook(chain, "loops_if_told", HookPoint::pre_query);
  }
  EXPECT_FALSE(info("loops_if_told").is_slow);
}

class BackoffTest : public PatientPluginTest {
 protected:
  BackoffTest() {
    config_.limits.backoff_after_faults = 3;
    config_.limits.backoff_ms = 100;
  }
  hooks::CallResult call(const std::shared_ptr<const hooks::Chain>& chain,
                         std::string_view tenant = "acme", HookPoint point = HookPoint::pre_query) {
    return run_hook(chain, chain->plugins()[0]->traits().name, point, tenant);
  }
};

TEST_F(BackoffTest, plugin_that_faults_again_and_again_is_not_run_for_a_while) {
  add_guest("traps");
  const auto chain = load_ok();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(call(chain).failure.starts_with("trap: unreachable [in "));
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(call(chain).failure.starts_with(
        "backing off after 3 faults in a row, the last: trap: unreachable [in "));
  const PluginInfo shown = info("traps");
  EXPECT_EQ(shown.calls, 5U);
  EXPECT_EQ(shown.failures, 3U);
  EXPECT_EQ(shown.backed_off, 2U);
  EXPECT_EQ(shown.backing_off_callers, 1U);
  EXPECT_EQ(shown.backing_off_left_ms, 100);
  EXPECT_EQ(log_.count(base::LogLevel::warning,
                       "backing off for 100 ms for user \"alice\", tenant \"acme\""),
            1U);
}

TEST_F(BackoffTest, other_callers_are_served_meanwhile) {
  add_guest("traps_for_acme");
  const auto chain = load_ok();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(call(chain).status, Status::failed);
  EXPECT_EQ(info("traps_for_acme").backed_off, 1U);
  EXPECT_EQ(call(chain, "other").status, Status::ok);
  EXPECT_EQ(call(chain, "").status, Status::ok);
}

TEST_F(BackoffTest, trial_after_the_while_shows_whether_it_works_again) {
  add_guest("loops_if_told", "p");
  write_file("p.toml", "[limits]\ntimeout_ms = 20");
  inline_ticks_ = kInlineTicks;
  const auto chain = load_ok();
  put("p", "key", "loop");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(call(chain).status, Status::failed);
  EXPECT_EQ(info("p").failures, 3U);
  remove("p", "key");
  EXPECT_EQ(call(chain).status, Status::failed);
  clock_.advance_ms(100);
  EXPECT_EQ(call(chain).status, Status::ok);
  EXPECT_EQ(info("p").backing_off_callers, 0U);
}

TEST_F(BackoffTest, post_query_of_a_plugin_with_pre_query_is_always_made) {
  write_file("post_traps.wat",
             guest_text({.more = "(func (export \"post_query\") (param i32 i32) (unreachable))"}));
  const auto chain = load_ok();
  for (int i = 0; i < 10; ++i) call(chain, "acme", HookPoint::post_query);
  EXPECT_EQ(info("post_traps").failures, 10U);
}

TEST_F(BackoffTest, post_query_of_an_observer_is_backed_off) {
  add_guest("post_traps");
  const auto chain = load_ok();
  for (int i = 0; i < 10; ++i) call(chain, "acme", HookPoint::post_query);
  EXPECT_EQ(info("post_traps").failures, 3U);
  EXPECT_EQ(info("post_traps").backed_off, 7U);
}

TEST_F(BackoffTest, new_version_starts_without_it) {
  add_guest("traps", "p");
  const auto chain = load_ok();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(call(chain).status, Status::failed);
  add_guest("counter", "p");
  EXPECT_EQ(call(host_->reload(config_).chain).status, Status::ok);
}

TEST_F(PluginTest, more_calls_than_instances_all_end) {
  config_.pool_instances = 8;
  add_guest("loops");
  add_guest("counter");
  const auto chain = load_ok();
  constexpr int kThreads = 24;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round)
        EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value("counter", "count:acme"), std::to_string(kThreads * 20));
}

}  // namespace
}  // namespace helios::plugins
