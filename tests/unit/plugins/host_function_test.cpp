// SPDX-License-Identifier: Apache-2.0

// The binding of C++ functions to wasm: their types, and ranges of guest memory checked at the edge.

#include "plugins/abi/host_function.hpp"

#include "kv/memory_store.hpp"
#include "plugins/abi/host_imports.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <initializer_list>

namespace helios::plugins {
namespace {

class HostFunctionTest : public ::testing::Test {
 protected:
  // Calls the import with raw wasm values; nullopt when it ended the guest.
  std::optional<std::int64_t> call(std::string_view name,
                                   std::initializer_list<std::uint64_t> arguments) {
    const HostFunction* const function = find_host_import("env", name);
    std::array<std::uint64_t, 8> values{};
    std::copy(arguments.begin(), arguments.end(), values.begin());
    if (!function->entry(*function, *calls_, {memory_.data(), memory_.size()}, values.data()))
      return std::nullopt;
    return function->type.results[0] == ValueType::i32
               ? static_cast<std::int32_t>(static_cast<std::uint32_t>(values[0]))
               : static_cast<std::int64_t>(values[0]);
  }
  void put(std::size_t at, std::string_view text) {
    std::memcpy(memory_.data() + at, text.data(), text.size());
  }

  test::FakeClock clock_;
  kv::MemoryStore store_{kv::Limits{.max_value_bytes = 8}, clock_};
  kv::Transaction transaction_{store_, **store_.open("p")};
  std::optional<HostCalls> calls_{std::in_place, transaction_, clock_};
  std::array<char, 256> memory_{};
};

TEST_F(HostFunctionTest, types_follow_from_cpp_parameters) {
  EXPECT_EQ(to_text(find_host_import("env", "kv_get")->type), "(i32, i32, i32, i32) -> i32");
  EXPECT_EQ(to_text(find_host_import("env", "kv_set")->type), "(i32, i32, i32, i32) -> i32");
  EXPECT_EQ(to_text(find_host_import("env", "kv_delete")->type), "(i32, i32) -> i32");
  EXPECT_EQ(to_text(find_host_import("env", "sha256_hex")->type), "(i32, i32, i32) -> i32");
  EXPECT_EQ(to_text(find_host_import("env", "time_now_ms")->type), "() -> i64");
  EXPECT_EQ(to_text(find_host_import("env", "kv_incr")->type),
            "(i32, i32, i64, i64, i64, i32) -> i32");
  EXPECT_EQ(to_text(find_host_import("wasi_snapshot_preview1", "proc_exit")->type), "(i32)");
  EXPECT_EQ(find_host_import("env", "kv_cat"), nullptr);
  EXPECT_EQ(find_host_import("wasi_snapshot_preview1", "kv_get"), nullptr);
}

TEST_F(HostFunctionTest, values_travel_both_ways) {
  put(0, "keyvalue");
  EXPECT_EQ(call("kv_get", {0, 3, 100, 8}), -1);
  EXPECT_EQ(call("kv_set", {0, 3, 3, 5}), 0);
  EXPECT_EQ(call("kv_get", {0, 3, 100, 4}), -2);
  EXPECT_EQ(call("kv_get", {0, 3, 100, 5}), 5);
  EXPECT_EQ(std::string_view(memory_.data() + 100, 6), std::string_view("value\0", 6));
  EXPECT_EQ(call("kv_delete", {0, 3}), 0);
  EXPECT_EQ(call("kv_delete", {0, 3}), 0);
  EXPECT_EQ(call("kv_get", {0, 3, 100, 5}), -1);
}

TEST_F(HostFunctionTest, value_over_the_limit_is_refused_and_counted) {
  EXPECT_EQ(call("kv_set", {0, 3, 0, 8}), 0);
  EXPECT_EQ(call("kv_set", {0, 3, 0, 9}), -1);
  EXPECT_EQ(call("kv_set", {0, 0, 0, 1}), -1);  // no key
  EXPECT_EQ(calls_->refused_writes(), 2U);
  EXPECT_EQ(calls_->stopped(), HostCalls::Stop::none);
}

TEST_F(HostFunctionTest, range_at_the_very_end_is_inside) {
  EXPECT_EQ(call("kv_set", {253, 3, 248, 8}), 0);
  EXPECT_EQ(call("kv_get", {253, 3, 248, 8}), 8);
}

TEST_F(HostFunctionTest, empty_range_may_point_anywhere) {
  EXPECT_EQ(call("kv_set", {0, 3, 0xFFFFFFFF, 0}), 0);
  EXPECT_EQ(call("kv_get", {0, 3, 0xFFFFFFFF, 0}), 0);
}

TEST_F(HostFunctionTest, range_outside_memory_ends_the_guest) {
  const std::initializer_list<std::uint64_t> kBad[] = {
      {254, 3, 0, 0},         // key over the end
      {0, 3, 250, 7},         // out over the end
      {257, 1, 0, 0},         // key beyond
      {0xFFFFFFFF, 2, 0, 0},  // sum beyond 32 bits
      {2, 0xFFFFFFFF, 0, 0},  // the same by length
      {0, 3, 0x80000000, 0x80000000},
  };
  for (const auto& arguments : kBad) {
    calls_.emplace(transaction_, clock_);
    EXPECT_EQ(call("kv_get", arguments), std::nullopt);
    EXPECT_EQ(calls_->stopped(), HostCalls::Stop::bad_pointer);
    EXPECT_EQ(calls_->stopped_function(), "kv_get");
  }
  EXPECT_TRUE(transaction_.reads().empty());
}

TEST_F(HostFunctionTest, upper_half_of_an_i32_does_not_matter) {
  put(0, "key");
  EXPECT_EQ(call("kv_set", {0xDEADBEEF00000000, 0xDEADBEEF00000003, 0, 3}), 0);
  EXPECT_EQ(call("kv_get", {0, 3, 100, 5}), 3);
}

TEST_F(HostFunctionTest, digest_is_lower_case_hex) {
  put(0, "abc");
  EXPECT_EQ(call("sha256_hex", {0, 3, 100}), 64);
  EXPECT_EQ(std::string_view(memory_.data() + 100, 64),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(call("sha256_hex", {0, 3, 193}), std::nullopt);
}

TEST_F(HostFunctionTest, time_stands_still_during_an_attempt) {
  EXPECT_EQ(call("time_now_ms", {}), test::FakeClock::kStartWallMs);
  clock_.advance_ms(1000);
  EXPECT_EQ(call("time_now_ms", {}), test::FakeClock::kStartWallMs);
}

}  // namespace
}  // namespace helios::plugins
