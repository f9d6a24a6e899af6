// SPDX-License-Identifier: Apache-2.0
//
// What the configuration says about the store arrives there.

#include "app/store_settings.hpp"

#include <gtest/gtest.h>

namespace helios::app {
namespace {

TEST(StoreSettings, defaults_of_configuration_and_store_are_the_same) {
  EXPECT_EQ(to_limits(config::Config()), kv::Limits());
}

TEST(StoreSettings, every_limit_arrives) {
  config::Config config;
  config.kv = {.max_key_bytes = 1,
               .max_value_bytes = 2,
               .max_keys_per_namespace = 3,
               .max_bytes_per_namespace = 4,
               .max_total_bytes = 5,
               .max_record_bytes = 6,
               .max_streams_per_namespace = 7,
               .max_ring_bytes = 8};
  config.state.max_stream_bytes = 9;
  const kv::Limits expected = {.max_key_bytes = 1,
                               .max_value_bytes = 2,
                               .max_keys_per_namespace = 3,
                               .max_bytes_per_namespace = 4,
                               .max_total_bytes = 5,
                               .max_record_bytes = 6,
                               .max_streams_per_namespace = 7,
                               .max_stream_bytes = 9,
                               .max_ring_bytes = 8};
  EXPECT_EQ(to_limits(config), expected);
}

}  // namespace
}  // namespace helios::app
