// SPDX-License-Identifier: Apache-2.0

#include "kv/token_bucket.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace helios::kv {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'700'000'000 * kSecond;

BucketRate rate(std::int64_t burst, std::int64_t tokens, std::int64_t period_ns) {
  return rate_of(burst, tokens, period_ns).rate.value();
}

// A bucket as the namespace keeps it.
struct Bucket {
  BucketRate at;
  std::optional<std::int64_t> stored = std::nullopt;

  BucketAnswer take(std::int64_t cost, std::int64_t now_ns) {
    const BucketAnswer answer = take_tokens(stored, at, cost, now_ns);
    if (answer.has_changed) stored = answer.full_at_ns;
    return answer;
  }
};

TEST(TokenBucket, full_bucket_gives_its_burst_and_no_more) {
  for (const std::int64_t tokens : {1, 3, 7, 1000}) {
    Bucket bucket{rate(5, tokens, kSecond)};
    for (int i = 0; i < 5; ++i) {
      const BucketAnswer answer = bucket.take(1, kNow);
      EXPECT_TRUE(answer.is_allowed) << i;
      EXPECT_EQ(answer.remaining, 4 - i);
      EXPECT_EQ(answer.retry_after_ns, 0);
    }
    const BucketAnswer refused = bucket.take(1, kNow);
    EXPECT_FALSE(refused.is_allowed);
    EXPECT_FALSE(refused.has_changed);
    EXPECT_EQ(refused.retry_after_ns, bucket.at.interval_ns);
    EXPECT_FALSE(bucket.take(1, kNow + refused.retry_after_ns - 1).is_allowed);
    EXPECT_TRUE(bucket.take(1, kNow + refused.retry_after_ns).is_allowed);
  }
}

TEST(TokenBucket, cost_of_many_is_taken_whole_or_not_at_all) {
  Bucket bucket{rate(10, 10, kSecond)};
  EXPECT_TRUE(bucket.take(7, kNow).is_allowed);
  const BucketAnswer refused = bucket.take(4, kNow);
  EXPECT_FALSE(refused.is_allowed);
  EXPECT_EQ(refused.remaining, 3);
  EXPECT_EQ(refused.retry_after_ns, kSecond / 10);
  EXPECT_TRUE(bucket.take(3, kNow).is_allowed);
}

TEST(TokenBucket, cost_beyond_the_bucket_never_fits) {
  Bucket bucket{rate(10, 10, kSecond)};
  const BucketAnswer answer = bucket.take(11, kNow);
  EXPECT_FALSE(answer.is_allowed);
  EXPECT_EQ(answer.retry_after_ns, -1);
  EXPECT_EQ(bucket.take(INT64_MAX, kNow).retry_after_ns, -1);
  EXPECT_EQ((Bucket{rate(0, 1, 1)}.take(1, kNow).retry_after_ns), -1);
  EXPECT_TRUE((Bucket{rate(0, 1, 1)}.take(0, kNow).is_allowed));
}

TEST(TokenBucket, looking_takes_nothing) {
  Bucket bucket{rate(2, 1, kSecond)};
  bucket.take(1, kNow);
  const BucketAnswer answer = bucket.take(0, kNow + kSecond / 2);
  EXPECT_TRUE(answer.is_allowed);
  EXPECT_FALSE(answer.has_changed);
  EXPECT_EQ(answer.remaining, 1);
  EXPECT_EQ(answer.reset_after_ns, kSecond / 2);
}

TEST(TokenBucket, giving_back_never_fills_beyond_the_burst) {
  Bucket bucket{rate(3, 1, kSecond)};
  bucket.take(3, kNow);
  EXPECT_EQ(bucket.take(-1, kNow).remaining, 1);
  EXPECT_EQ(bucket.take(-100, kNow).remaining, 3);
  EXPECT_EQ(bucket.take(INT64_MIN, kNow).remaining, 3);
  EXPECT_TRUE(bucket.take(3, kNow).is_allowed);
  EXPECT_FALSE(bucket.take(1, kNow).is_allowed);
}

TEST(TokenBucket, refund_into_a_full_bucket_stores_nothing) {
  EXPECT_FALSE((Bucket{rate(3, 1, kSecond)}.take(-1, kNow).has_changed));
}

TEST(TokenBucket, clock_that_was_set_back_does_not_lock_anybody_out) {
  Bucket bucket{rate(2, 1, kSecond)};
  bucket.take(2, kNow);
  const std::int64_t earlier = kNow - 3600 * kSecond;
  EXPECT_FALSE(bucket.take(1, earlier).is_allowed);
  EXPECT_TRUE(bucket.take(1, earlier + kSecond).is_allowed);
  EXPECT_FALSE(bucket.take(1, earlier + kSecond).is_allowed);
}

TEST(TokenBucket, attempt_that_began_a_little_earlier_changes_nothing) {
  Bucket bucket{rate(2, 1, kSecond)};
  bucket.take(2, kNow);
  const BucketAnswer answer = bucket.take(1, kNow - kSecond / 100);
  EXPECT_FALSE(answer.is_allowed);
  EXPECT_FALSE(answer.has_changed);
}

TEST(TokenBucket, absurd_rates_are_refused) {
  EXPECT_EQ(rate_of(1, 0, 1).error, RateError::invalid);
  EXPECT_EQ(rate_of(1, 2, 1).error, RateError::invalid);
  EXPECT_EQ(rate_of(-1, 1, 1).error, RateError::invalid);
  EXPECT_EQ(rate_of(1, -1, INT64_MIN).error, RateError::invalid);
  EXPECT_EQ(rate_of(INT64_MAX, 1, 2).error, RateError::overflow);
  EXPECT_EQ(rate_of(INT64_MAX, 1, INT64_MAX).error, RateError::overflow);
  EXPECT_FALSE(rate_of(1, 1, INT64_MAX).rate.has_value());
  EXPECT_TRUE(rate_of(0, 1, INT64_MAX).rate.has_value());
}

TEST(TokenBucket, any_numbers_are_borne) {
  std::mt19937_64 random(3);
  const auto any = [&random] {
    const auto shift = random() % 64;
    return static_cast<std::int64_t>(random() >> shift) * (random() % 2 == 0 ? 1 : -1);
  };
  for (int i = 0; i < 100'000; ++i) {
    const RateResult rated = rate_of(any(), any(), any());
    if (!rated.rate) continue;
    const auto now = static_cast<std::int64_t>(static_cast<std::uint64_t>(any()) >> 2);
    const BucketAnswer answer = take_tokens(any(), *rated.rate, any(), now);
    EXPECT_GE(answer.remaining, 0);
    EXPECT_LE(answer.remaining, rated.rate->burst);
    EXPECT_GE(answer.reset_after_ns, 0);
    EXPECT_GE(answer.retry_after_ns, -1);
    EXPECT_GE(answer.full_at_ns, now);
  }
}

// Over every stretch between two moments at which something was taken.
TEST(TokenBucket, never_more_than_burst_and_rate_over_any_stretch) {
  std::mt19937 random(5);
  const auto below = [&random](int limit) {
    return std::uniform_int_distribution<int>(0, limit - 1)(random);
  };
  for (int round = 0; round < 20; ++round) {
    const std::int64_t burst = 1 + below(8);
    const std::int64_t tokens = 1 + below(1000);
    Bucket bucket{rate(burst, tokens, kSecond)};
    struct Taken {
      std::int64_t at_ns;
      std::int64_t cost;
    };
    std::vector<Taken> taken;
    std::int64_t now = kNow;
    for (int i = 0; i < 400; ++i) {
      now += below(3'000'000);
      const std::int64_t cost = 1 + below(2);
      if (bucket.take(cost, now).is_allowed) taken.push_back({now, cost});
    }
    for (std::size_t from = 0; from < taken.size(); ++from) {
      std::int64_t sum = 0;
      for (std::size_t to = from; to < taken.size(); ++to) {
        sum += taken[to].cost;
        const double stretch_s = static_cast<double>(taken[to].at_ns - taken[from].at_ns) / kSecond;
        ASSERT_LE(static_cast<double>(sum),
                  static_cast<double>(burst) + stretch_s * static_cast<double>(tokens) + 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace helios::kv
