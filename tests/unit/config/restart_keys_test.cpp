// SPDX-License-Identifier: Apache-2.0

#include "config/restart_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RestartKeys, same_configuration_changes_nothing) {
  const Config running = default_config();
  Config next = default_config();
  EXPECT_THAT(keep_restart_keys(running, next), IsEmpty());
}

TEST(RestartKeys, changed_ones_are_named_and_keep_the_running_values) {
  const Config running = default_config();
  Config next = running;
  next.listen.addresses = {{"127.0.0.1", 7000}};
  next.listen.workers = 7;
  next.admin.addresses.clear();
  next.plugins.slow_lane_threads = 9;
  next.plugins.pool_instances = 99;
  next.plugins.memory_reservation_mb = 64;
  next.state.directory = "/elsewhere";
  next.state.namespaces = {{"a", Durability::strict}};
  EXPECT_THAT(keep_restart_keys(running, next),
              ElementsAre("listen.addresses", "listen.workers", "admin.addresses",
                          "plugins.slow_lane_threads", "plugins.pool_instances",
                          "plugins.memory_reservation_mb", "state.directory", "state.namespaces"));
  EXPECT_EQ(next.state, running.state);
  EXPECT_EQ(next.listen.addresses, running.listen.addresses);
  EXPECT_EQ(next.listen.workers, running.listen.workers);
  EXPECT_EQ(next.admin.addresses, running.admin.addresses);
  EXPECT_EQ(next.plugins.slow_lane_threads, running.plugins.slow_lane_threads);
  EXPECT_EQ(next.plugins.pool_instances, running.plugins.pool_instances);
  EXPECT_EQ(next.plugins.memory_reservation_mb, running.plugins.memory_reservation_mb);
}

TEST(RestartKeys, everything_else_is_taken_over) {
  const Config running = default_config();
  Config next = running;
  next.server.port = 5499;
  next.kv.max_keys_per_namespace = 5;
  next.state.max_stream_bytes = 6;
  next.plugins.directory = "/somewhere";
  next.plugins.limits.timeout_ms = 7;
  EXPECT_THAT(keep_restart_keys(running, next), IsEmpty());
  EXPECT_EQ(next.server.port, 5499);
  EXPECT_EQ(next.kv.max_keys_per_namespace, 5U);
  EXPECT_EQ(next.state.max_stream_bytes, 6U);
  EXPECT_EQ(next.plugins.directory, "/somewhere");
  EXPECT_EQ(next.plugins.limits.timeout_ms, 7U);
}

}  // namespace
}  // namespace helios::config
