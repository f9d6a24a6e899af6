// SPDX-License-Identifier: Apache-2.0

// Goal: the SDK's state works natively as it does in the proxy. Method: it is called directly, over the
// fake host.

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace helios::plugin;

TEST(State, create_is_done_once) {
  FakeHost host;
  EXPECT_EQ(kv_create("k", "a", 100), Written::done);
  EXPECT_EQ(kv_create("k", "b", 100), Written::unmet);
  host.now_ms += 100;
  EXPECT_EQ(kv_create("k", "c"), Written::done);
  EXPECT_EQ(host.state["k"], "c");
}

TEST(State, replace_keeps_the_time) {
  FakeHost host;
  EXPECT_EQ(kv_replace("k", "a"), Written::unmet);
  EXPECT_EQ(kv_write_for("k", "a", 100), Written::done);
  host.now_ms += 40;
  EXPECT_EQ(kv_replace("k", "b"), Written::done);
  EXPECT_EQ(kv_read_entry("k")->ttl_left_ms.value_or(0), 60);
  host.now_ms += 60;
  EXPECT_FALSE(kv_read("k").has_value());
}

TEST(State, records_stand_in_their_stream_in_order) {
  FakeHost host;
  host.max_record_bytes = 5;
  EXPECT_TRUE(stream_append("trail", "one"));
  EXPECT_TRUE(stream_append("trail", "two"));
  EXPECT_FALSE(stream_append("trail", "longer"));
  EXPECT_FALSE(stream_append("", "x"));
  EXPECT_EQ(host.streams["trail"], (std::vector<std::string>{"one", "two"}));
}

TEST(State, values_that_are_too_large_are_refused) {
  FakeHost host;
  host.max_value_bytes = 3;
  EXPECT_EQ(kv_write_for("k", "long", 1), Written::refused);
  EXPECT_EQ(kv_create("", "a"), Written::refused);
}

TEST(State, versions_of_tests_and_of_the_call_differ) {
  FakeHost host;
  host.state["k"] = "a";
  const uint64_t version = kv_read_entry("k")->version;
  EXPECT_EQ(kv_write_if("k", version, "b"), Written::done);
  EXPECT_EQ(kv_read_entry("k")->version, HELIOS_VERSION_OWN);
  EXPECT_EQ(kv_write_if("k", version, "c"), Written::unmet);
  EXPECT_EQ(kv_remove_if("k", HELIOS_VERSION_OWN), Written::done);
  EXPECT_EQ(kv_write_if("k", HELIOS_VERSION_ABSENT, "d"), Written::done);
}

TEST(State, bucket_empties_and_fills) {
  FakeHost host;
  const Rate rate{.burst = 2, .tokens = 1, .period_ms = 1000};
  EXPECT_TRUE(kv_take("b", rate)->allowed);
  EXPECT_EQ(kv_take("b", rate)->remaining, 0);
  const Optional<Taken> refused = kv_take("b", rate);
  EXPECT_FALSE(refused->allowed);
  EXPECT_EQ(refused->retry_after_ns, 1000000000);
  host.now_ms += 1000;
  EXPECT_TRUE(kv_take("b", rate)->allowed);
  EXPECT_EQ(kv_take("b", rate, -2)->remaining, 2);
  EXPECT_EQ(host.state.count("b"), 0U);
  EXPECT_FALSE(kv_take("b", {.burst = 1, .tokens = 0}).has_value());
  EXPECT_FALSE(kv_take("b", {.burst = 1, .tokens = 1, .period_ms = INT64_MAX}).has_value());
}

TEST(State, draw_answers_as_take_does) {
  FakeHost host;
  const Rate rate{.burst = 2, .tokens = 1, .period_ms = 1000};
  EXPECT_TRUE(*kv_draw("b", rate, 2));
  EXPECT_FALSE(*kv_draw("b", rate));
  EXPECT_EQ(kv_take("b", rate, 0)->remaining, 0);
  host.now_ms += 1000;
  EXPECT_TRUE(*kv_draw("b", rate));
  EXPECT_FALSE(kv_draw("b", {.burst = 1, .tokens = 0}).has_value());
  EXPECT_FALSE(kv_draw("b", {.burst = 1, .tokens = 1, .period_ms = INT64_MAX}).has_value());
}

TEST(State, charge_stays_within_the_limit_and_keeps_the_time) {
  FakeHost host;
  EXPECT_FALSE(*kv_charge("c", 11, 10));
  EXPECT_TRUE(*kv_charge("c", 4, 10, 1000));
  EXPECT_TRUE(*kv_charge("c", 6, 10, 9000));
  EXPECT_FALSE(*kv_charge("c", 1, 10));
  EXPECT_TRUE(*kv_charge("c", 0, 10));
  EXPECT_FALSE(*kv_charge("c", 0, 9));
  EXPECT_FALSE(*kv_charge("c", -10, 1));
  EXPECT_TRUE(*kv_charge("c", -9, 1));
  EXPECT_FALSE(*kv_charge("c", INT64_MAX, INT64_MAX));
  EXPECT_EQ(kv_increment("c", 0).value_or(0), 1);
  host.now_ms += 1000;
  EXPECT_FALSE(kv_increment("c", 0).has_value());
  host.state["t"] = "text";
  EXPECT_FALSE(kv_charge("t", 1, 10).has_value());
  EXPECT_FALSE(kv_charge("", 1, 10).has_value());
}

TEST(State, each_visits_in_order_over_any_number_of_pages) {
  FakeHost host;
  std::string expected;
  for (int i = 1000; i < 2000; ++i) {
    host.state["k" + std::to_string(i)] = "v";
    expected += "k" + std::to_string(i);
  }
  host.state["a"] = "v";
  host.state["k" + std::string(20'000, 'x')] = "v";
  std::string seen;
  kv_each("k1", [&](StringView key, uint32_t size) {
    EXPECT_EQ(size, 1U);
    seen += to_std(key);
    return true;
  });
  EXPECT_EQ(seen, expected);
  int visited = 0;
  kv_each("", [&](StringView, uint32_t) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
  size_t longest = 0;
  kv_each("kx", [&](StringView key, uint32_t) {
    longest = key.size();
    return true;
  });
  EXPECT_EQ(longest, 20'001U);
}

}  // namespace
