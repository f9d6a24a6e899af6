// SPDX-License-Identifier: Apache-2.0
// Goal: who holds much is told so, who holds little goes on; what is held comes back.
#include "session/footprint.hpp"

#include <gtest/gtest.h>

namespace helios::session {
namespace {

constexpr std::uint64_t kMib = 1 << 20;

struct Held : testing::Test {
  MemoryUse all;
  config::Limits limits;
  std::uint64_t elsewhere = 0;

  Held() {
    limits.max_session_memory_kb = 4096;
    limits.max_total_memory_mb = 16;
    all.elsewhere = [this] { return elsewhere; };
  }
};

TEST_F(Held, is_counted_while_it_is_held) {
  {
    Footprint one(all);
    Footprint other(all);
    EXPECT_EQ(one.update(1000, limits), "");
    EXPECT_EQ(other.update(500, limits), "");
    const std::uint64_t both = all.here_bytes;
    EXPECT_EQ(one.update(0, limits), "");
    EXPECT_EQ(all.here_bytes, both - 1000);
  }
  EXPECT_EQ(all.here_bytes, 0U);
}

TEST_F(Held, is_too_much_for_one_session) {
  Footprint one(all);
  EXPECT_EQ(one.update(3 * kMib, limits), "");
  one.set_backlog(2 * kMib);
  EXPECT_NE(one.update(3 * kMib, limits).find("max_session_memory_kb"), std::string_view::npos);
}

TEST_F(Held, is_too_much_for_all_then_those_with_much_of_it_are_told) {
  Footprint little(all);
  Footprint some(all);
  Footprint much(all);
  elsewhere = 16 * kMib;
  EXPECT_EQ(little.update(1000, limits), "");
  EXPECT_EQ(some.update(kMib / 2, limits), "");
  EXPECT_NE(much.update(kMib + 1, limits).find("max_total_memory_mb"), std::string_view::npos);
  elsewhere = 18 * kMib;  // they were not enough
  EXPECT_NE(some.update(kMib / 2, limits).find("max_total_memory_mb"), std::string_view::npos);
  EXPECT_EQ(little.update(1000, limits), "");
}

TEST_F(Held, leaves_room_for_three_copies_of_a_query) {
  Footprint one(all);
  EXPECT_EQ(one.update(0, limits), "");
  EXPECT_TRUE(one.has_room_for_query(kMib, limits));
  EXPECT_FALSE(one.has_room_for_query(2 * kMib, limits));
  elsewhere = 20 * kMib;
  EXPECT_FALSE(one.has_room_for_query(kMib, limits));
  EXPECT_TRUE(one.has_room_for_query(1000, limits));
}

}  // namespace
}  // namespace helios::session
