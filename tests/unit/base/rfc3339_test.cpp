// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.hpp"

#include <gtest/gtest.h>

#include <random>

namespace helios::base {
namespace {

std::int64_t ms_of(std::string_view text) {
  const auto ms = parse_rfc3339(text);
  EXPECT_TRUE(ms) << text;
  return ms.value_or(-1);
}

TEST(Rfc3339, moments_are_written_in_utc_with_milliseconds) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(1'704'067'200'007), "2024-01-01T00:00:00.007Z");
  EXPECT_EQ(to_rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, every_spelling_of_a_moment_is_read) {
  const std::int64_t noon = 1'791'028'800'000;
  EXPECT_EQ(ms_of("2026-10-03T12:00:00Z"), noon);
  EXPECT_EQ(ms_of("2026-10-03t12:00:00z"), noon);
  EXPECT_EQ(ms_of("2026-10-03T14:00:00+02:00"), noon);
  EXPECT_EQ(ms_of("2026-10-03T06:30:00-05:30"), noon);
  EXPECT_EQ(ms_of("2026-10-03T12:00:00.5Z"), noon + 500);
  EXPECT_EQ(ms_of("2026-10-03T12:00:00.1239999999999Z"), noon + 123);
  EXPECT_EQ(ms_of("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(Rfc3339, what_is_no_moment_is_refused) {
  for (const char* text :
       {"", "2026", "2026-10-03", "2026-10-03 12:00:00Z", "2026-10-03T12:00Z",
        "2026-10-03T12:00:00", "2026-13-03T12:00:00Z", "2026-02-29T12:00:00Z",
        "2026-10-03T24:00:00Z", "2026-10-03T12:60:00Z", "2026-10-03T12:00:60Z",
        "2026-10-03T12:00:00.Z", "2026-10-03T12:00:00+2:00", "2026-10-03T12:00:00+24:00",
        "2026-10-03T12:00:00ZZ", "+026-10-03T12:00:00Z", "10m"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(Rfc3339, what_is_written_is_read_as_the_same) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> any(-62'000'000'000'000, 253'402'300'799'999);
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t ms = any(random);
    ASSERT_EQ(ms_of(to_rfc3339(ms)), ms);
  }
}

}  // namespace
}  // namespace helios::base
