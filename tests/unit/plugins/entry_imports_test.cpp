// SPDX-License-Identifier: Apache-2.0

// kv_set_ex, kv_get_ex, kv_cas, kv_take, kv_charge, kv_draw and kv_scan: their codes, what they write, and hostile pointers.

#include "helios_abi2.h"
#include "kv/memory_store.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace helios::plugins {
namespace {

// Where things stand in the guest's memory: keys at 0, values at 32, results from 64 on.
constexpr std::uint64_t kKey = 0;
constexpr std::uint64_t kValue = 32;
constexpr std::uint64_t kResult = 64;
constexpr std::uint64_t kOut = 128;

std::uint64_t raw(std::int64_t number) { return static_cast<std::uint64_t>(number); }

class EntryImportsTest : public ::testing::Test {
 protected:
  std::optional<std::int32_t> call(std::string_view name, const std::vector<std::uint64_t>& given) {
    const HostFunction* const function = find_host_import("env", name);
    std::array<std::uint64_t, 8> values{};
    std::copy(given.begin(), given.end(), values.begin());
    EXPECT_EQ(function->type.params.size(), given.size());
    if (!function->entry(*function, *calls_, {memory_.data(), memory_.size()}, values.data()))
      return std::nullopt;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(values[0]));
  }
  void put(std::size_t at, std::string_view text) {
    std::memcpy(memory_.data() + at, text.data(), text.size());
  }
  template <typename Number = std::int64_t>
  Number at(std::size_t where) const {
    Number number{};
    std::memcpy(&number, memory_.data() + where, sizeof(number));
    return number;
  }
  std::string_view bytes(std::size_t where, std::size_t length) const {
    return {memory_.data() + where, length};
  }

  std::optional<std::int32_t> set_ex(std::string_view value, std::int64_t ttl_ms,
                                     std::uint32_t flags) {
    put(kKey, "key");
    put(kValue, value);
    return call("kv_set_ex", {kKey, 3, kValue, value.size(), raw(ttl_ms), flags});
  }
  std::optional<std::int32_t> get_ex(std::uint64_t max = 100) {
    put(kKey, "key");
    return call("kv_get_ex", {kKey, 3, kOut, max, kResult});
  }
  std::optional<std::int32_t> cas(std::uint64_t version, std::string_view value,
                                  std::uint32_t flags = 0, std::int64_t ttl_ms = 0) {
    put(kKey, "key");
    put(kValue, value);
    return call("kv_cas", {kKey, 3, version, kValue, value.size(), raw(ttl_ms), flags, kResult});
  }
  std::optional<std::int32_t> take(std::int64_t cost, std::int64_t burst = 3,
                                   std::int64_t tokens = 1,
                                   std::int64_t period_ns = 1'000'000'000) {
    put(kKey, "key");
    return call("kv_take", {kKey, 3, raw(cost), raw(burst), raw(tokens), raw(period_ns), kResult});
  }
  std::optional<std::int32_t> draw(std::int64_t cost, std::int64_t burst = 3,
                                   std::int64_t tokens = 1,
                                   std::int64_t period_ns = 1'000'000'000) {
    put(kKey, "key");
    return call("kv_draw", {kKey, 3, raw(cost), raw(burst), raw(tokens), raw(period_ns)});
  }
  std::optional<std::int32_t> charge(std::int64_t amount, std::int64_t limit,
                                     std::int64_t ttl_ms = 0) {
    put(kKey, "key");
    return call("kv_charge", {kKey, 3, raw(amount), raw(limit), raw(ttl_ms)});
  }
  std::optional<std::int32_t> scan(std::string_view prefix, std::string_view after,
                                   std::uint64_t max) {
    put(kKey, prefix);
    put(kValue, after);
    return call("kv_scan", {kKey, prefix.size(), kValue, after.size(), kOut, max});
  }
  // Ends the hook call, and begins the next.
  void commit() {
    ASSERT_EQ(transaction_.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
    begin();
  }
  void begin() {
    transaction_.reset();
    calls_.emplace(transaction_, clock_);
  }

  test::FakeClock clock_;
  kv::MemoryStore store_{kv::Limits{.max_key_bytes = 16, .max_value_bytes = 16}, clock_};
  kv::Transaction transaction_{store_, **store_.open("p")};
  std::optional<HostCalls> calls_{std::in_place, transaction_, clock_};
  std::array<char, 256> memory_{};
};

TEST_F(EntryImportsTest, types_are_the_documented_ones) {
  const auto type = [](std::string_view name) {
    return to_text(find_host_import("env", name)->type);
  };
  EXPECT_EQ(type("kv_set_ex"), "(i32, i32, i32, i32, i64, i32) -> i32");
  EXPECT_EQ(type("kv_get_ex"), "(i32, i32, i32, i32, i32) -> i32");
  EXPECT_EQ(type("kv_cas"), "(i32, i32, i64, i32, i32, i64, i32, i32) -> i32");
  EXPECT_EQ(type("kv_take"), "(i32, i32, i64, i64, i64, i64, i32) -> i32");
  EXPECT_EQ(type("kv_charge"), "(i32, i32, i64, i64, i64) -> i32");
  EXPECT_EQ(type("kv_draw"), "(i32, i32, i64, i64, i64, i64) -> i32");
  EXPECT_EQ(type("kv_scan"), "(i32, i32, i32, i32, i32, i32) -> i32");
}

TEST_F(EntryImportsTest, set_ex_sets_only_what_its_condition_allows) {
  EXPECT_EQ(set_ex("a", 0, HELIOS_KV_IF_PRESENT), HELIOS_UNMET);
  EXPECT_EQ(set_ex("a", 0, HELIOS_KV_IF_ABSENT), HELIOS_OK);
  EXPECT_EQ(set_ex("b", 0, HELIOS_KV_IF_ABSENT), HELIOS_UNMET);
  commit();
  EXPECT_EQ(set_ex("b", 0, HELIOS_KV_IF_ABSENT), HELIOS_UNMET);
  EXPECT_EQ(set_ex("c", 0, HELIOS_KV_IF_PRESENT), HELIOS_OK);
  EXPECT_EQ(get_ex(), 1);
  EXPECT_EQ(bytes(kOut, 1), "c");
}

TEST_F(EntryImportsTest, set_ex_gives_a_time_that_ends_exactly) {
  EXPECT_EQ(set_ex("a", 50, 0), HELIOS_OK);
  commit();
  clock_.advance_ms(49);
  begin();
  EXPECT_EQ(get_ex(), 1);
  EXPECT_EQ(at(kResult + 16), 1);  // milliseconds left
  clock_.advance_ms(1);
  begin();
  EXPECT_EQ(get_ex(), HELIOS_MISSING);
  EXPECT_EQ(set_ex("b", 50, HELIOS_KV_IF_ABSENT), HELIOS_OK);
}

TEST_F(EntryImportsTest, set_ex_keeps_the_time_where_told_to) {
  EXPECT_EQ(set_ex("a", 100, HELIOS_KV_KEEP_TTL), HELIOS_OK);  // made: ttl_ms counts
  commit();
  clock_.advance_ms(40);
  begin();
  EXPECT_EQ(set_ex("b", 5000, HELIOS_KV_KEEP_TTL), HELIOS_OK);
  EXPECT_EQ(get_ex(), 1);
  EXPECT_EQ(at(kResult + 16), 60);
  commit();
  EXPECT_EQ(get_ex(), 1);
  EXPECT_EQ(bytes(kOut, 1), "b");
  EXPECT_EQ(at(kResult + 16), 60);
  EXPECT_EQ(set_ex("c", 0, 0), HELIOS_OK);
  EXPECT_EQ(get_ex(), 1);
  EXPECT_EQ(at(kResult + 16), -1);
}

TEST_F(EntryImportsTest, set_ex_refuses_what_means_nothing) {
  EXPECT_EQ(set_ex("a", -1, 0), HELIOS_INVALID);
  EXPECT_EQ(set_ex("a", INT64_MAX, 0), HELIOS_INVALID);
  EXPECT_EQ(set_ex("a", 0, HELIOS_KV_IF_ABSENT | HELIOS_KV_IF_PRESENT), HELIOS_INVALID);
  EXPECT_EQ(set_ex("a", 0, HELIOS_KV_DELETE), HELIOS_INVALID);
  EXPECT_EQ(set_ex("a", 0, 16), HELIOS_INVALID);
  EXPECT_EQ(call("kv_set_ex", {kKey, 0, kValue, 1, 0, 0}), HELIOS_INVALID);
  EXPECT_EQ(call("kv_set_ex", {kKey, 17, kValue, 1, 0, 0}), HELIOS_INVALID);
  EXPECT_EQ(call("kv_set_ex", {kKey, 3, kValue, 17, 0, 0}), HELIOS_LIMIT);
  EXPECT_EQ(calls_->refused_writes(), 1U);
}

TEST_F(EntryImportsTest, get_ex_tells_size_and_version_whatever_fits) {
  EXPECT_EQ(get_ex(), HELIOS_MISSING);
  EXPECT_EQ(bytes(kResult, 24), std::string(24, '\0'));
  set_ex("hello", 0, 0);
  commit();
  EXPECT_EQ(get_ex(0), HELIOS_TOO_SMALL);
  EXPECT_EQ(at<std::uint32_t>(kResult + 8), 5U);
  EXPECT_EQ(at(kResult + 16), -1);
  const auto version = at<std::uint64_t>(kResult);
  EXPECT_NE(version, HELIOS_VERSION_ABSENT);
  EXPECT_EQ(get_ex(5), 5);
  EXPECT_EQ(bytes(kOut, 5), "hello");
  set_ex("hello", 0, 0);
  EXPECT_EQ(get_ex(5), 5);
  EXPECT_EQ(at<std::uint64_t>(kResult), HELIOS_VERSION_OWN);
  commit();
  EXPECT_EQ(get_ex(5), 5);
  EXPECT_GT(at<std::uint64_t>(kResult), version);
  EXPECT_EQ(call("kv_get_ex", {kKey, 0, kOut, 9, kResult}), HELIOS_INVALID);
}

TEST_F(EntryImportsTest, cas_takes_the_present_version_only) {
  EXPECT_EQ(cas(1, "a"), HELIOS_UNMET);
  EXPECT_EQ(at<std::uint64_t>(kResult), HELIOS_VERSION_ABSENT);
  EXPECT_EQ(cas(HELIOS_VERSION_ABSENT, "a"), HELIOS_OK);
  EXPECT_EQ(at<std::uint64_t>(kResult), HELIOS_VERSION_OWN);
  EXPECT_EQ(cas(HELIOS_VERSION_ABSENT, "b"), HELIOS_UNMET);
  EXPECT_EQ(cas(HELIOS_VERSION_OWN, "b"), HELIOS_OK);
  commit();
  EXPECT_EQ(cas(HELIOS_VERSION_OWN, "c"), HELIOS_UNMET);
  const auto version = at<std::uint64_t>(kResult);
  EXPECT_EQ(cas(version, "c"), HELIOS_OK);
  commit();
  EXPECT_EQ(cas(version, "d"), HELIOS_UNMET);
}

TEST_F(EntryImportsTest, cas_is_not_fooled_by_deletion_and_recreation) {
  cas(HELIOS_VERSION_ABSENT, "a");
  commit();
  get_ex();
  const auto version = at<std::uint64_t>(kResult);
  EXPECT_EQ(cas(version, "", HELIOS_KV_DELETE), HELIOS_OK);
  EXPECT_EQ(at<std::uint64_t>(kResult), HELIOS_VERSION_ABSENT);
  EXPECT_EQ(cas(HELIOS_VERSION_ABSENT, "a"), HELIOS_OK);
  commit();
  EXPECT_EQ(cas(version, "b"), HELIOS_UNMET);
}

TEST_F(EntryImportsTest, cas_keeps_or_sets_the_time) {
  EXPECT_EQ(cas(HELIOS_VERSION_ABSENT, "a", HELIOS_KV_KEEP_TTL, 100), HELIOS_OK);
  commit();
  get_ex();
  EXPECT_EQ(cas(at<std::uint64_t>(kResult), "b", HELIOS_KV_KEEP_TTL), HELIOS_OK);
  commit();
  get_ex();
  EXPECT_EQ(at(kResult + 16), 100);
  EXPECT_EQ(cas(at<std::uint64_t>(kResult), "c", HELIOS_KV_IF_ABSENT), HELIOS_INVALID);
  EXPECT_EQ(cas(0, "c", 0, -1), HELIOS_INVALID);
}

TEST_F(EntryImportsTest, take_gives_the_burst_and_then_one_per_interval) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(1), 1);
  EXPECT_EQ(take(1), 0);
  EXPECT_EQ(at(kResult), 0);
  EXPECT_EQ(at(kResult + 8), 1'000'000'000);
  EXPECT_EQ(at(kResult + 16), 3'000'000'000);
  commit();
  EXPECT_EQ(take(1), 0);
  clock_.advance_ms(999);
  begin();
  EXPECT_EQ(take(1), 0);
  EXPECT_EQ(at(kResult + 8), 1'000'000);
  clock_.advance_ms(1);
  begin();
  EXPECT_EQ(take(1), 1);
  EXPECT_EQ(take(4), 0);
  EXPECT_EQ(at(kResult + 8), -1);
}

TEST_F(EntryImportsTest, take_keeps_eight_bytes_and_none_when_full) {
  EXPECT_EQ(take(2), 1);
  commit();
  EXPECT_EQ(get_ex(), 8);
  EXPECT_EQ(take(0), 1);
  EXPECT_EQ(at(kResult), 1);
  EXPECT_EQ(take(-2), 1);
  EXPECT_EQ(at(kResult), 3);
  commit();
  EXPECT_EQ(get_ex(), HELIOS_MISSING);
  take(3);
  commit();
  clock_.advance_ms(64'000);
  EXPECT_EQ(store_.scan(**store_.open("p"), {}).items.size(), 0U);
}

TEST_F(EntryImportsTest, take_refuses_what_it_cannot_do) {
  EXPECT_EQ(take(1, -1), HELIOS_INVALID);
  EXPECT_EQ(take(1, 1, 0), HELIOS_INVALID);
  EXPECT_EQ(take(1, 1, 2, 1), HELIOS_INVALID);
  EXPECT_EQ(take(1, INT64_MAX), HELIOS_OVERFLOW);
  EXPECT_EQ(call("kv_take", {kKey, 0, 1, 1, 1, 1, kResult}), HELIOS_INVALID);
  set_ex("123", 0, 0);
  EXPECT_EQ(take(1), HELIOS_WRONG_TYPE);
}

TEST_F(EntryImportsTest, draw_and_take_are_of_one_bucket) {
  EXPECT_EQ(draw(2), 1);
  EXPECT_EQ(take(0), 1);
  EXPECT_EQ(at(kResult), 1);
  commit();
  EXPECT_EQ(draw(2), 0);
  EXPECT_EQ(draw(1), 1);
  EXPECT_EQ(draw(1), 0);
  EXPECT_TRUE(transaction_.reads().empty());
  commit();
  EXPECT_EQ(draw(-3), 1);
  commit();
  EXPECT_EQ(get_ex(), HELIOS_MISSING);
}

TEST_F(EntryImportsTest, draw_refuses_what_it_cannot_do) {
  EXPECT_EQ(draw(1, -1), HELIOS_INVALID);
  EXPECT_EQ(draw(1, 1, 0), HELIOS_INVALID);
  EXPECT_EQ(draw(1, INT64_MAX), HELIOS_OVERFLOW);
  EXPECT_EQ(call("kv_draw", {kKey, 0, 1, 1, 1, 1}), HELIOS_INVALID);
  set_ex("123", 0, 0);
  EXPECT_EQ(draw(1), HELIOS_WRONG_TYPE);
}

TEST_F(EntryImportsTest, charge_adds_within_the_limit_and_says_no_more) {
  EXPECT_EQ(charge(11, 10), 0);
  EXPECT_EQ(charge(4, 10, 1000), 1);
  EXPECT_EQ(charge(6, 10, 5000), 1);
  EXPECT_EQ(charge(1, 10), 0);
  EXPECT_TRUE(transaction_.reads().empty());
  commit();
  EXPECT_EQ(get_ex(), 8);
  EXPECT_EQ(at(kOut), 10);
  EXPECT_EQ(at(kResult + 16), 1000) << "one that is there keeps its time";
  clock_.advance_ms(1000);
  begin();
  EXPECT_EQ(charge(10, 10), 1);
}

TEST_F(EntryImportsTest, charge_refuses_what_it_cannot_do) {
  EXPECT_EQ(charge(1, 10, -1), HELIOS_INVALID);
  EXPECT_EQ(charge(1, 10, INT64_MAX), HELIOS_INVALID);
  EXPECT_EQ(call("kv_charge", {kKey, 0, 1, 1, 0}), HELIOS_INVALID);
  EXPECT_EQ(call("kv_charge", {kKey, 17, 1, 1, 0}), HELIOS_INVALID);
  set_ex("123", 0, 0);
  EXPECT_EQ(charge(1, 10), HELIOS_WRONG_TYPE);
  EXPECT_EQ(calls_->refused_writes(), 0U);
}

TEST_F(EntryImportsTest, scan_writes_records_in_order_page_by_page) {
  for (const char* key : {"a:1", "a:2", "a:33", "b"}) {
    put(kKey, key);
    call("kv_set", {kKey, std::strlen(key), kKey, std::strlen(key)});
  }
  EXPECT_EQ(scan("a:", "", 128), 34);
  EXPECT_EQ(bytes(kOut, 34),
            std::string_view("\x03\0\0\0\x03\0\0\0a:1\x03\0\0\0\x03\0\0\0a:2\x04\0\0\0"
                             "\x04\0\0\0a:33",
                             34));
  commit();
  EXPECT_EQ(scan("a:", "a:1", 22), 11);
  EXPECT_EQ(scan("a:", "a:2", 11), HELIOS_TOO_SMALL);
  EXPECT_EQ(scan("a:", "a:33", 11), 0);
  EXPECT_EQ(scan("", "", 128), 43);
  EXPECT_EQ(scan("", "", 0), HELIOS_TOO_SMALL);
  EXPECT_EQ(scan("x", "", 0), 0);
}

TEST_F(EntryImportsTest, ranges_outside_the_memory_end_the_call) {
  constexpr std::uint64_t kEnd = 256;
  constexpr std::uint64_t kMax = 0xffff'ffff;
  const std::vector<std::pair<std::string_view, std::vector<std::uint64_t>>> hostile{
      {"kv_set_ex", {kEnd, 1, kValue, 1, 0, 0}},
      {"kv_set_ex", {kKey, kMax, kValue, 1, 0, 0}},
      {"kv_set_ex", {kKey, 1, kEnd - 3, 4, 0, 0}},
      {"kv_set_ex", {kKey, 1, kMax, kMax, 0, 0}},
      {"kv_get_ex", {kMax, 1, kOut, 1, kResult}},
      {"kv_get_ex", {kKey, 1, kEnd, 1, kResult}},
      {"kv_get_ex", {kKey, 1, kOut, kMax, kResult}},
      {"kv_get_ex", {kKey, 1, kOut, 1, kEnd - 23}},
      {"kv_get_ex", {kKey, 1, kOut, 1, kMax - 8}},
      {"kv_cas", {kEnd - 1, 2, 0, kValue, 1, 0, 0, kResult}},
      {"kv_cas", {kKey, 1, 0, kValue, kMax, 0, 0, kResult}},
      {"kv_cas", {kKey, 1, 0, kValue, 1, 0, 0, kEnd - 7}},
      {"kv_take", {kMax, kMax, 1, 1, 1, 1, kResult}},
      {"kv_take", {kKey, 1, 1, 1, 1, 1, kEnd - 23}},
      {"kv_take", {kKey, 1, 1, 1, 1, 1, kMax}},
      {"kv_charge", {kMax, kMax, 1, 1, 0}},
      {"kv_charge", {kEnd - 1, 2, 1, 1, 0}},
      {"kv_draw", {kEnd, 1, 1, 1, 1, 1}},
      {"kv_scan", {kEnd, 1, kValue, 0, kOut, 1}},
      {"kv_scan", {kKey, 0, kMax, 2, kOut, 1}},
      {"kv_scan", {kKey, 0, kValue, 0, kOut, 129}},
  };
  for (const auto& [name, arguments] : hostile) {
    begin();
    EXPECT_EQ(call(name, arguments), std::nullopt) << name;
    EXPECT_EQ(calls_->stopped(), HostCalls::Stop::bad_pointer) << name;
    EXPECT_EQ(calls_->stopped_function(), name);
    EXPECT_TRUE(transaction_.is_untouched()) << name;
  }
}

TEST_F(EntryImportsTest, ranges_at_the_very_end_are_inside_and_empty_ones_anywhere) {
  put(253, "key");
  EXPECT_EQ(call("kv_set_ex", {253, 3, 0xffff'ffff, 0, 0, 0}), HELIOS_OK);
  EXPECT_EQ(call("kv_get_ex", {253, 3, 0xffff'ffff, 0, 232}), 0);
  put(253, "key");
  EXPECT_EQ(call("kv_take", {252, 3, 1, 1, 1, 1000, 232}), 1);
  EXPECT_EQ(call("kv_scan", {0xffff'ffff, 0, 0xffff'ffff, 0, 255, 1}), HELIOS_TOO_SMALL);
}

TEST_F(EntryImportsTest, results_that_overlap_the_arguments_are_right) {
  put(kKey, "key");
  EXPECT_EQ(call("kv_take", {kKey, 3, 1, 5, 1, 1'000'000'000, kKey}), 1);
  EXPECT_EQ(at(kKey), 4);
  EXPECT_EQ(take(0, 5), 1);
  EXPECT_EQ(at(kResult), 4);
}

}  // namespace
}  // namespace helios::plugins
