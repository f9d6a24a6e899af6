// SPDX-License-Identifier: Apache-2.0

// Single hook calls with well-behaved guests: what they see, what they answer, what is counted.

#include "plugin_fixture.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/sha256.hpp"

#include <fstream>
#include <iterator>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;
using Status = hooks::CallResult::Status;

TEST_F(PatientPluginTest, counter_counts_per_tenant_and_not_without_one) {
  add_guest("counter");
  const auto chain = load_ok();
  for (int i = 0; i < 12; ++i) {
    const auto result = run_hook(chain, "counter", HookPoint::pre_query, "acme");
    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(result.verdict.action, Action::proceed);
  }
  run_hook(chain, "counter", HookPoint::pre_query, "globex");
  run_hook(chain, "counter", HookPoint::pre_query, "");
  EXPECT_EQ(value("counter", "count:acme"), "12");
  EXPECT_EQ(value("counter", "count:globex"), "1");
  EXPECT_EQ(key_count(), 2U);
  EXPECT_EQ(info("counter").calls, 14U);
  EXPECT_EQ(info("counter").failures, 0U);
}

TEST_F(PatientPluginTest, tenant_in_the_statement_text_is_not_the_tenant) {
  add_guest("counter");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement statement(chain, "acme", R"(SELECT '"tenant_id":"globex"')");
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
  EXPECT_TRUE(call.start());
  EXPECT_EQ(value("counter", "count:acme"), "1");
  EXPECT_EQ(key_count(), 1U);
}

TEST_F(PatientPluginTest, two_plugins_with_the_same_key_each_have_their_own) {
  add_guest("counter", "one");
  add_guest("counter", "two");
  const auto chain = load_ok();
  run_hook(chain, "one", HookPoint::pre_query);
  run_hook(chain, "one", HookPoint::pre_query);
  run_hook(chain, "two", HookPoint::pre_query);
  EXPECT_EQ(value("one", "count:acme"), "2");
  EXPECT_EQ(value("two", "count:acme"), "1");
}

TEST_F(PatientPluginTest, binary_module_works_like_its_text) {
  add_guest("counter", "text");
  const auto engine = make_wasm_engine({.max_instances = 1}, host_imports());
  ASSERT_TRUE(engine);
  std::ifstream text(folder_ / "text.wat");
  const auto binary = (*engine)->assemble(std::string(std::istreambuf_iterator<char>(text), {}));
  ASSERT_TRUE(binary);
  write_file("binary.wasm", *binary);
  const auto chain = load_ok();
  ASSERT_EQ(chain->plugins().size(), 2U);
  EXPECT_EQ(run_hook(chain, "binary", HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("binary", "count:acme"), "1");
}

TEST_F(PatientPluginTest, block_and_rewrite_reach_the_caller) {
  add_guest("blocks");
  add_guest("blocks_by_action");
  add_guest("rewrites");
  const auto chain = load_ok();
  for (const std::string_view name : {"blocks", "blocks_by_action"}) {
    const auto result = run_hook(chain, name, HookPoint::pre_query);
    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(result.verdict.action, Action::block);
    EXPECT_EQ(result.verdict.text, "not today");
    EXPECT_EQ(info(name).refusals, 1U);
  }
  EXPECT_EQ(value("blocks", "key"), "value");  // a refusal is a result like any other
  const auto result = run_hook(chain, "rewrites", HookPoint::pre_query);
  EXPECT_EQ(result.verdict.action, Action::rewrite);
  EXPECT_EQ(result.verdict.text, "SELECT 42");
  EXPECT_EQ(info("rewrites").refusals, 0U);
}

TEST_F(PatientPluginTest, guest_sees_its_input_and_the_digest_is_right) {
  add_guest("notes");
  write_file("notes.toml", "[config]\nregion = \"eu\"");
  const auto chain = load_ok();
  run_hook(chain, "notes", HookPoint::pre_query);
  run_hook(chain, "notes", HookPoint::post_query);
  const auto pre = value("notes", "pre");
  const auto post = value("notes", "post");
  ASSERT_TRUE(pre && post);
  EXPECT_TRUE(pre->starts_with(R"({"query":"SELECT 1",)")) << *pre;
  EXPECT_NE(pre->find(R"("tenant_id":"acme","config.region":"eu")"), std::string::npos) << *pre;
  EXPECT_TRUE(post->starts_with(R"([{"query":"SELECT 1",)")) << *post;
  EXPECT_NE(post->find(R"("outcome":"lost")"), std::string::npos) << *post;
  EXPECT_EQ(value("notes", "digest"), sha256_hex(*post));
}

TEST_F(PatientPluginTest, initialize_is_called_once_per_instance) {
  add_guest("initializes");
  const auto chain = load_ok();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(run_hook(chain, "initializes", HookPoint::pre_query).verdict.action, Action::proceed);
}

TEST_F(PatientPluginTest, write_of_a_start_function_belongs_to_the_call) {
  add_guest("stores_at_start");
  const auto chain = load_ok();
  EXPECT_EQ(key_count(), 0U);  // loading tried it out, and threw that away
  EXPECT_EQ(run_hook(chain, "stores_at_start", HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("stores-at-start", "key"), "value");
}

TEST_F(PatientPluginTest, write_that_the_store_refuses_is_counted) {
  add_guest("notes");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement statement(chain, "acme", std::string(store_.limits().max_value_bytes, 'x'));
  TestCall call(plugin(chain, "notes"), statement, HookPoint::pre_query, home);
  call.start();
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().status, Status::ok) << call.result().failure;
  EXPECT_EQ(key_count(), 0U);
  EXPECT_GE(info("notes").refused_writes, 1U);
}

TEST_F(PatientPluginTest, answer_of_post_query_is_not_looked_at) {
  add_guest("post_answers_garbage");
  const auto chain = load_ok();
  EXPECT_EQ(run_hook(chain, "post_answers_garbage", HookPoint::post_query).status, Status::ok);
  EXPECT_EQ(value("post-answers-garbage", "key"), "value");
}

TEST_F(PatientPluginTest, large_statement_reaches_a_guest_that_has_room) {
  add_guest("counter");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement statement(chain, "acme", std::string(1 << 20, 'x'));
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
  call.start();
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().status, Status::ok) << call.result().failure;
  EXPECT_EQ(value("counter", "count:acme"), "1");
}

TEST_F(PatientPluginTest, statement_larger_than_the_guest_fails_the_call) {
  config_.limits.memory_mb = 1;
  add_guest("counter");
  const auto chain = load_ok();
  WaitingExecutor home;
  Statement statement(chain, "acme", std::string(1 << 20, 'x'));
  TestCall call(plugin(chain, "counter"), statement, HookPoint::pre_query, home);
  call.start();
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().status, Status::failed);
  EXPECT_EQ(key_count(), 0U);
}

}  // namespace
}  // namespace helios::plugins
