// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace helios::base {
namespace {

Result<int> parse(bool good) {
  if (!good) return fail(Errc::not_found, "no number");
  return 7;
}

TEST(Result, value_converts_to_true) {
  const Result<int> result = parse(true);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 7);
}

TEST(Result, failure_carries_code_and_message) {
  const Result<int> result = parse(false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::not_found);
  EXPECT_EQ(result.error().message, "no number");
}

TEST(Result, holds_what_can_only_be_moved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  ASSERT_TRUE(result);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 3);
}

TEST(Result, of_nothing_tells_only_success) {
  const Result<void> done;
  EXPECT_TRUE(done);
  const Result<void> failed = fail(Errc::unavailable, "gone");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace helios::base
