// SPDX-License-Identifier: Apache-2.0

// Modules of ABI 2: which load, what their instances remember, what their counters, logs and metrics do, and what bad pointers
// lead to.

#include "abi2_fixture.hpp"
#include "helios_abi2.h"

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;
using Status = hooks::CallResult::Status;

TEST_F(Abi2Test, counter_counts_per_tenant_with_fresh_and_reused_instances) {
  for (const std::string_view kind : {"fresh", "reuse"}) {
    const std::string name = "counter-" + std::string(kind);
    add_guest("counter2", name);
    write_file(name + ".toml", "instance = \"" + std::string(kind) + "\"");
    const auto chain = load_ok();
    for (int i = 0; i < 12; ++i)
      EXPECT_EQ(run_hook(chain, name, HookPoint::pre_query).status, Status::ok);
    run_hook(chain, name, HookPoint::pre_query, "globex");
    run_hook(chain, name, HookPoint::pre_query, "");
    EXPECT_EQ(value(name, "count:acme"), std::string("\x0c\0\0\0\0\0\0\0", 8));
    EXPECT_EQ(value(name, "count:globex"), std::string("\x01\0\0\0\0\0\0\0", 8));
  }
  EXPECT_EQ(key_count(), 4U);
  EXPECT_EQ(info("counter-reuse").abi, 2U);
}

TEST_F(Abi2Test, log_and_metrics_count_once_committed) {
  const std::string both =
      expecting(0, "(call $log (i32.const 2) (i32.const 48) (i32.const 8))") +
      expecting(0, "(call $metric_add (i32.const 16) (i32.const 3) (i64.const 5))");
  add(hook("pre_query",
           both + expecting(-5, "(call $log (i32.const 4) (i32.const 48) (i32.const 8))") +
               expecting(-5, "(call $metric_add (i32.const 48) (i32.const 8) (i64.const 1))")) +
      hook("post_query", both + "(unreachable)"));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(run(HookPoint::post_query).status, Status::failed);
  ASSERT_EQ(info("p").metrics.size(), 1U);
  EXPECT_EQ(info("p").metrics[0], (std::pair<std::string, std::uint64_t>("key", 5)));
  EXPECT_EQ(log_.count("plugin p: no entry"), 1U);
}

TEST_F(Abi2Test, counter_keeps_to_its_bounds) {
  const auto incr = [](std::int64_t delta, std::int64_t limit, std::int64_t ttl) {
    return "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const " + std::to_string(delta) +
           ") (i64.const " + std::to_string(limit) + ") (i64.const " + std::to_string(ttl) +
           ") (i32.const 1024))";
  };
  const auto result = pre_query(
      expecting(HELIOS_MISSING, incr(0, 0, 0)) + expecting(0, incr(5, 7, 0)) +
      expecting(HELIOS_UNMET, incr(3, 7, 0)) + expecting(5, "(i32.load (i32.const 1024))") +
      expecting(0, incr(-6, -1, 0)) + expecting(-1, "(i32.load (i32.const 1024))") +
      expecting(HELIOS_UNMET, incr(-1, -1, 0)) + expecting(0, incr(0, 0, 0)) +
      expecting(HELIOS_INVALID, incr(1, 9, -1)) +
      expecting(HELIOS_OVERFLOW, incr(INT64_MIN, INT64_MIN, 0)));
  EXPECT_EQ(result.status, Status::ok) << result.failure;
  EXPECT_EQ(value("p", "key"), std::string(8, '\xff'));
}

TEST_F(Abi2Test, counter_keeps_the_time_that_it_was_made_with) {
  add(hook("pre_query", expecting(0,
                                  "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) "
                                  "(i64.const 99) (i64.const 1000) (i32.const 1024))")));
  run(HookPoint::pre_query);
  clock_.advance_ms(600);
  run(HookPoint::pre_query);
  EXPECT_EQ(value("p", "key"), std::string("\2\0\0\0\0\0\0\0", 8));
  clock_.advance_ms(600);
  EXPECT_EQ(value("p", "key"), std::nullopt);
  run(HookPoint::pre_query);
  EXPECT_EQ(value("p", "key"), std::string("\1\0\0\0\0\0\0\0", 8));
}

TEST_F(Abi2Test, value_that_is_no_counter_is_left_alone) {
  add(hook("pre_query", expecting(HELIOS_WRONG_TYPE,
                                  "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) "
                                  "(i64.const 99) (i64.const 0) (i32.const 1024))")));
  put("p", "key", "text");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("p", "key"), "text");
}

// Every import that takes a place in memory, with one that is outside.
TEST_F(Abi2Test, bad_pointer_to_any_import_ends_the_call) {
  const std::string kCalls[] = {
      "(call $field (i32.const 3) (i32.const 65535) (i32.const 2))",
      "(call $field (i32.const 3) (i32.const 16) (i32.const -1))",
      "(call $field_number (i32.const 101) (i32.const 65529))",
      "(call $attribute (i32.const -1) (i32.const 2) (i32.const 0) (i32.const 0))",
      "(call $parameter (i32.const 0) (i32.const 65536) (i32.const 1))",
      "(call $parameter_kind (i32.const 0) (i32.const 65525))",
      "(call $scratch_set (i32.const 65530) (i32.const 7))",
      "(call $scratch_get (i32.const 65530) (i32.const 7))",
      "(call $block (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0))",
      "(call $block (i32.const 0) (i32.const 0) (i32.const -4) (i32.const 5))",
      "(call $rewrite (i32.const 65536) (i32.const 1))",
      "(call $answer_column (i32.const 65536) (i32.const 1) (i32.const 25))",
      "(call $answer_value (i32.const 65536) (i32.const 1))",
      "(call $identify (i32.const 1) (i32.const 65536) (i32.const 1))",
      "(call $log (i32.const 1) (i32.const 65536) (i32.const 1))",
      "(call $metric_add (i32.const 65536) (i32.const 1) (i64.const 1))",
      "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) (i64.const 1) (i64.const 0) "
      "(i32.const 65529))",
  };
  for (const std::string& call : kCalls) {
    const auto result = pre_query("(drop " + call + ")");
    EXPECT_EQ(result.status, Status::failed) << call;
    EXPECT_NE(result.failure.find("was handed a range outside the plugin's memory"),
              std::string::npos)
        << call << ": " << result.failure;
  }
}

TEST_F(Abi2Test, reused_instance_remembers_until_an_attempt_fails) {
  // Blocks when its own count of calls is 3; traps at 4.
  add(R"((global $calls (mut i32) (i32.const 0)))" +
          hook("pre_query",
               "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))"
               "(if (i32.eq (global.get $calls) (i32.const 3)) (then "
               "(drop (call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0)))))"
               "(if (i32.eq (global.get $calls) (i32.const 4)) (then (unreachable)))"),
      "instance = \"reuse\"");
  const auto action = [&] { return run(HookPoint::pre_query).verdict.action; };
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::block);
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::failed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::block);
}

TEST_F(Abi2Test, module_of_another_version_does_not_load) {
  write_file("p.wat", R"((module (memory (export "memory") 1)
    (func (export "helios_abi_version") (result i32) (i32.const 3))
    (func (export "pre_query") (result i32) (i32.const 0))))");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("is made for version 3 of the ABI"), std::string::npos)
      << chain.error().message;
}

TEST_F(Abi2Test, reuse_is_refused_for_abi_1) {
  add_guest("counter");
  write_file("counter.toml", "instance = \"reuse\"");
  EXPECT_FALSE(load());
}

TEST_F(Abi2Test, wasi_offers_nothing_but_lets_a_library_start) {
  write_file("p.wat", R"((module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\40\00\00\00\05\00\00\00") (data (i32.const 64) "hello")
    (func (export "_initialize") (drop (call $sizes (i32.const 0) (i32.const 4)))
      (drop (call $random (i32.const 128) (i32.const 16))))
    (func (export "helios_abi_version") (result i32) (i32.const 2))
    (func (export "pre_query") (result i32)
      (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 32)))
    (func (export "post_query") (call $exit (i32.const 0)))))");
  chain_ = load_ok();
  statement_ = std::make_unique<Statement>(chain_, "acme");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(log_.count("plugin p: hello"), 1U);
  EXPECT_EQ(run(HookPoint::post_query).failure, "trap: called proc_exit");
}

}  // namespace
}  // namespace helios::plugins
