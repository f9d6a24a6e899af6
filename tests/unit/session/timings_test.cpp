// SPDX-License-Identifier: Apache-2.0
// Goal: what is told of times is what was spent: once for each statement, message and wait, and nothing where
// nobody judges.
#include "extended_messages.hpp"

#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

std::shared_ptr<NativePlugin> plugin() {
  return std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true});
}

double sum(const metrics::DurationHistogram& histogram) { return histogram.snapshot().sum; }
std::uint64_t count(const metrics::DurationHistogram& histogram) {
  return histogram.snapshot().count();
}

TEST(Timings, statement_counts_what_the_server_spent) {
  Options options;
  options.plugins = {plugin()};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.pass_ms(20);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(count(harness.timings.statements), 1U);
  EXPECT_DOUBLE_EQ(sum(harness.timings.statements), 0.02);
  EXPECT_EQ(count(harness.timings.pre_query), 1U);
  EXPECT_EQ(count(harness.timings.waits_for_answers), 0U);
  EXPECT_EQ(count(harness.timings.waits_for_work), 0U);
  EXPECT_EQ(count(harness.timings.waits_for_post_query), 0U);
}

TEST(Timings, statement_that_fails_counts_and_the_one_behind_it_does_not) {
  Options options;
  options.plugins = {plugin()};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("select 1; select 2; select 3"));
  harness.pass_ms(5);
  harness.server_sends(complete("SELECT 1"));
  harness.pass_ms(7);
  harness.server_sends(error("22012", "division by zero") + ready('I'));
  EXPECT_EQ(count(harness.timings.statements), 2U);
  EXPECT_DOUBLE_EQ(sum(harness.timings.statements), 0.012);
  EXPECT_EQ(count(harness.timings.pre_query), 1U);
}

// Behind the end of the last statement the server commits; a client that sends its Sync late is not the server's work.
TEST(Timings, commit_of_a_batch_is_the_time_of_its_last_statement) {
  const auto timed = plugin();
  std::vector<std::int64_t> durations;
  timed->post_query = [&durations](hooks::Call& call) {
    durations.push_back(call.statement->duration_ns);
    return hooks::CallResult{};
  };
  Options options;
  options.plugins = {timed};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(parse("", "insert into t values (1)") + bind_to("", "") + execute() +
                       bind_to("", "") + execute() + flush());
  harness.pass_ms(1);
  harness.server_sends(parsed() + bound() + complete("INSERT 0 1") + bound() +
                       complete("INSERT 0 1"));
  harness.pass_ms(1000);
  harness.client_sends(sync());
  harness.pass_ms(30);
  harness.server_sends(ready('I'));
  EXPECT_EQ(durations, (std::vector<std::int64_t>{1'000'000, 30'000'000}));
}

TEST(Timings, hook_that_runs_elsewhere_is_time_before_the_message_is_forwarded) {
  Options options;
  options.plugins = {plugin()};
  options.pending = true;
  SessionHarness harness(options);
  harness.connect();
  harness.auto_run = false;
  harness.client_sends(query("select 1"));
  harness.pass_ms(30);
  harness.run_executors();
  EXPECT_DOUBLE_EQ(sum(harness.timings.pre_query), 0.03);
  EXPECT_DOUBLE_EQ(sum(harness.timings.waits_for_work), 0.03);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.pass_ms(40);
  harness.run_executors();
  EXPECT_EQ(count(harness.timings.waits_for_post_query), 1U);
  EXPECT_DOUBLE_EQ(sum(harness.timings.waits_for_post_query), 0.04);
  EXPECT_DOUBLE_EQ(sum(harness.timings.statements), 0);
}

TEST(Timings, message_that_waits_for_the_end_of_a_SET_is_told_apart) {
  Options options;
  options.plugins = {plugin()};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("set helios.tenant_id = 'acme'") + query("select 1"));
  harness.pass_ms(10);
  harness.server_sends(complete("SET") + ready('I'));
  EXPECT_EQ(count(harness.timings.waits_for_answers), 1U);
  EXPECT_DOUBLE_EQ(sum(harness.timings.waits_for_answers), 0.01);
  EXPECT_EQ(count(harness.timings.waits_for_work), 0U);
}

TEST(Timings, refused_message_is_not_among_those_that_were_forwarded) {
  auto refusing = plugin();
  refusing->pre_query = [](hooks::Call&) { return block("no"); };
  Options options;
  options.plugins = {refusing};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_EQ(count(harness.timings.pre_query), 0U);
  EXPECT_EQ(count(harness.timings.statements), 0U);
}

TEST(Timings, without_plugins_there_are_none) {
  SessionHarness harness(Options{});
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.pass_ms(20);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(count(harness.timings.statements), 0U);
  EXPECT_EQ(count(harness.timings.pre_query), 0U);
}

}  // namespace
}  // namespace helios::session::test
