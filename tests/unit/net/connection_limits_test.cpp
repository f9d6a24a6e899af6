// SPDX-License-Identifier: Apache-2.0
//
// Goal: places are counted and given back, and whoever is turned away takes none from others.

#include "net/connection_limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace helios::net {
namespace {

using enum session::Arrival;

TEST(ConnectionLimits, logins_under_way_of_one_origin_have_a_limit) {
  config::Limits config;
  config.max_address_logins_under_way = 2;
  ConnectionLimits limits(config);
  EXPECT_EQ(limits.arrive("here"), welcome);
  EXPECT_EQ(limits.arrive("here"), welcome);
  EXPECT_EQ(limits.arrive("here"), too_many_of_origin);
  EXPECT_EQ(limits.arrive("there"), welcome);
  EXPECT_EQ(limits.logins_under_way(), 3U);
  limits.depart("here", too_many_of_origin);
  EXPECT_EQ(limits.arrive("here"), too_many_of_origin);
  limits.depart("here", welcome);
  EXPECT_EQ(limits.arrive("here"), welcome);
}

TEST(ConnectionLimits, one_origin_has_half_of_all_places_by_default) {
  config::Limits config;
  for (const auto& [connections, most] : {std::pair(1U, 16), {40U, 20}, {1000U, 500}}) {
    config.max_connections = connections;
    ConnectionLimits limits(config);
    for (int i = 0; i < most; ++i) EXPECT_EQ(limits.arrive("here"), welcome);
    EXPECT_EQ(limits.arrive("here"), too_many_of_origin);
  }
}

TEST(ConnectionLimits, logins_under_way_of_all_have_a_limit) {
  config::Limits config;
  config.max_logins_under_way = 2;
  ConnectionLimits limits(config);
  EXPECT_EQ(limits.arrive("a"), welcome);
  EXPECT_EQ(limits.arrive("b"), welcome);
  EXPECT_EQ(limits.arrive("c"), too_many);
  limits.depart("a", welcome);
  EXPECT_EQ(limits.arrive("c"), welcome);
}

TEST(ConnectionLimits, who_is_turned_away_takes_no_place_and_soon_is_not_listened_to) {
  config::Limits config;
  config.max_connections = 2;
  config.max_address_logins_under_way = 1;
  ConnectionLimits limits(config);
  EXPECT_TRUE(limits.open());
  EXPECT_EQ(limits.arrive("flood"), welcome);
  for (std::uint32_t i = 0; i < ConnectionLimits::kMaxTurnedAway; ++i) {
    static_cast<void>(limits.open());
    EXPECT_EQ(limits.arrive("flood"), too_many_of_origin);
  }
  static_cast<void>(limits.open());
  EXPECT_EQ(limits.arrive("flood"), dropped);
  EXPECT_TRUE(limits.open());
  EXPECT_EQ(limits.arrive("other"), welcome);
  EXPECT_FALSE(limits.open());
}

TEST(ConnectionLimits, who_has_failed_waits_and_only_some_of_them_at_once) {
  ConnectionLimits limits(config::Limits{});
  const session::LoginClaim claim{.user = "ann", .origin = "here", .now_ns = 1};
  EXPECT_EQ(limits.hold_up(claim), 0U);
  for (int i = 0; i < 10; ++i) limits.note_failure(claim);
  EXPECT_EQ(limits.hold_up(claim), 500U);
  for (std::uint32_t i = 0; i < ConnectionLimits::kMaxHeldUp; ++i)
    EXPECT_EQ(limits.arrive("here"), welcome);
  EXPECT_EQ(limits.hold_up(claim), 500U);
  EXPECT_EQ(limits.arrive("here"), welcome);
  EXPECT_EQ(limits.hold_up(claim), std::nullopt);
  limits.note_success(claim);
  EXPECT_EQ(limits.hold_up(claim), 0U);
}

TEST(ConnectionLimits, wait_leaves_time_to_get_in) {
  config::Limits config;
  config.login_timeout_ms = 300;
  ConnectionLimits limits(config);
  const session::LoginClaim claim{.user = "ann", .origin = "here", .now_ns = 1};
  for (int i = 0; i < 10; ++i) limits.note_failure(claim);
  EXPECT_EQ(limits.hold_up(claim), 150U);
}

}  // namespace
}  // namespace helios::net
