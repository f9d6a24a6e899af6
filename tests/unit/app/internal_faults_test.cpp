// SPDX-License-Identifier: Apache-2.0
//
// What was caught as the last resort is counted by place, and logged once a second at most.

#include "app/internal_faults.hpp"

#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace helios::app {
namespace {

using base::FaultPlace;
using base::LogLevel;

TEST(InternalFaults, every_one_is_counted_and_one_a_second_is_logged) {
  test::CaptureLog log;
  test::FakeClock clock;
  InternalFaults faults(log, clock);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(
        base::contain(&faults, FaultPlace::timer, [] { throw std::runtime_error("a\nb"); }));
  }
  EXPECT_FALSE(base::contain(&faults, FaultPlace::admin, [] { throw 42; }));
  EXPECT_TRUE(base::contain(&faults, FaultPlace::admin, [] {}));
  EXPECT_EQ(faults.count(FaultPlace::timer), 3U);
  EXPECT_EQ(log.count(LogLevel::error, "internal fault (timer): a\\x0ab"), 1U);
  EXPECT_EQ(log.count(LogLevel::error, "internal fault (admin): not a std::exception"), 1U);
  clock.advance_ms(1000);
  faults.report(FaultPlace::timer, "again");
  EXPECT_EQ(log.count(LogLevel::error, "internal fault (timer)"), 2U);

  metrics::Registry registry;
  const auto source = registry.add_source(faults.metrics_source());
  const auto text = registry.render();
  EXPECT_THAT(text, testing::HasSubstr("helios_internal_faults_total{place=\"timer\"} 4\n"));
  EXPECT_THAT(text, testing::HasSubstr("helios_internal_faults_total{place=\"plugin\"} 0\n"));
}

TEST(InternalFaults, without_a_sink_nothing_is_caught) {
  EXPECT_THROW(base::contain(nullptr, FaultPlace::timer, [] { throw std::runtime_error("x"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace helios::app
