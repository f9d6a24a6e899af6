// SPDX-License-Identifier: Apache-2.0

// The same exactness for what ABI 2 has beside get and set: counters, token buckets and chains, through real
// guests from many threads.

#include "plugin_fixture.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;

constexpr int kThreads = 8;
constexpr int kCalls = 100;

// Takes one of 100 tokens; without one, it blocks.
constexpr std::string_view kBucket = R"((module
  (import "env" "kv_take" (func $take (param i32 i32 i64 i64 i64 i64 i32) (result i32)))
  (import "env" "block" (func $block (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 16) "bucket")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query")
    (if (i32.ne (i32.const 1) (call $take (i32.const 16) (i32.const 6) (i64.const 1) (i64.const 100)
          (i64.const 1) (i64.const 1000000000000) (i32.const 64)))
      (then (drop (call $block (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0))))))))";

// Reads the head, makes the record after it, which must not be there, and moves the head.
constexpr std::string_view kChain = R"((module
  (import "env" "kv_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $set (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set_ex" (func $set_ex (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 16) "head")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query")
    (drop (call $get (i32.const 16) (i32.const 4) (i32.const 64) (i32.const 8)))
    (i64.store (i32.const 72) (i64.load (i32.const 64)))
    (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
    (if (call $set_ex (i32.const 64) (i32.const 8) (i32.const 72) (i32.const 8) (i64.const 0)
          (i32.const 1))
      (then unreachable))
    (if (call $set (i32.const 16) (i32.const 4) (i32.const 64) (i32.const 8)) (then unreachable)))))";

class ExactImportsTest : public PatientPluginTest {
 protected:
  std::shared_ptr<const hooks::Chain> add(std::string_view text) {
    write_file("p.wat", text);
    write_file("p.toml", "instance = \"reuse\"");
    return load_ok();
  }
  // Calls the hook from all threads; `count` is told of every answer.
  static void hammer(const std::shared_ptr<const hooks::Chain>& chain,
                     const std::function<void(const hooks::CallResult&)>& count) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int call = 0; call < kCalls; ++call) count(run_hook(chain, "p", HookPoint::pre_query));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(ExactImportsTest, concurrent_increments_lose_nothing) {
  add_guest("counter2", "p");
  write_file("p.toml", "instance = \"reuse\"");
  hammer(load_ok(), [](const hooks::CallResult& result) { EXPECT_EQ(result.status, Status::ok); });
  std::int64_t sum = 0;
  const std::string stored = value("p", "count:acme").value_or("");
  ASSERT_EQ(stored.size(), sizeof(sum));
  stored.copy(reinterpret_cast<char*>(&sum), sizeof(sum));
  EXPECT_EQ(sum, kThreads * kCalls);
}

TEST_F(ExactImportsTest, concurrent_takers_get_what_the_bucket_has) {
  std::atomic<int> admitted = 0;
  hammer(add(kBucket), [&](const hooks::CallResult& result) {
    EXPECT_EQ(result.status, Status::ok) << result.failure;
    if (result.verdict.action == hooks::Verdict::Action::proceed) ++admitted;
  });
  EXPECT_EQ(admitted, 100);
}

TEST_F(ExactImportsTest, concurrent_links_make_one_chain) {
  hammer(add(kChain), [](const hooks::CallResult& result) {
    EXPECT_EQ(result.status, Status::ok) << result.failure;
  });
  EXPECT_EQ(key_count(), static_cast<std::uint64_t>(kThreads * kCalls + 1));
  for (std::uint64_t number = 1; number <= kThreads * kCalls; ++number) {
    const std::string key(reinterpret_cast<const char*>(&number), sizeof(number));
    const std::uint64_t before = number - 1;
    EXPECT_EQ(value("p", key), std::string(reinterpret_cast<const char*>(&before), sizeof(before)));
  }
}

}  // namespace
}  // namespace helios::plugins
