// SPDX-License-Identifier: Apache-2.0
#pragma once

// A token bucket kept as one number, by the generic cell rate algorithm: the time at which the bucket will
// be full again. It holds `burst` tokens, and one comes back every `interval_ns`.
//
// Exact: in any stretch of time at most burst + stretch / interval tokens are taken, and from a full bucket
// exactly `burst` at once. A rate that is no whole number of nanoseconds per token is rounded to the slower
// one, by less than a nanosecond per token.
//
// Pure: the time is an argument. It may go back a little between two calls (attempts that began earlier
// commit later), which costs nothing. A bucket that will be full more than kSlackNs later than an empty one
// (the clock was set back, or `burst` was lowered) is taken for empty.

#include <cstdint>
#include <optional>

namespace helios::kv {

struct BucketRate {
  std::int64_t burst = 0;        // at least 0; nothing fits into 0
  std::int64_t interval_ns = 0;  // at least 1

  // How long an empty bucket takes to fill. Never overflows: see rate_of().
  [[nodiscard]] std::int64_t span_ns() const { return burst * interval_ns; }
};

inline constexpr std::int64_t kSlackNs = 60'000'000'000;
inline constexpr std::int64_t kMaxSpanNs = INT64_MAX / 8;  // 36 years
inline constexpr std::int64_t kMaxNowNs = INT64_MAX / 2;   // in the year 2116

enum class RateError { invalid, overflow };
struct RateResult {
  std::optional<BucketRate> rate;
  RateError error = RateError::invalid;
};

// The rate of `tokens` per `period_ns`. invalid: a negative burst, fewer than 1 token, or more than one per
// nanosecond. overflow: an empty bucket would take longer than kMaxSpanNs to fill.
[[nodiscard]] RateResult rate_of(std::int64_t burst, std::int64_t tokens, std::int64_t period_ns);

struct BucketAnswer {
  bool is_allowed = false;
  bool has_changed =
      false;  // then `full_at_ns` is to be stored, or nothing if it is not later than now
  std::int64_t full_at_ns = 0;      // when the bucket is full
  std::int64_t remaining = 0;       // whole tokens that are there now
  std::int64_t retry_after_ns = 0;  // when refused: how long until it would fit; -1 never
  std::int64_t reset_after_ns = 0;  // how long until it is full
};

// Takes `cost` tokens at `now_ns`, if they are there. A cost of 0 only looks; a negative one gives back, and
// what would be above `burst` is lost. `full_at_ns`: as stored; now or earlier, or absent, is a full bucket.
// Requires: 0 <= now_ns <= kMaxNowNs.
[[nodiscard]] BucketAnswer take_tokens(std::optional<std::int64_t> full_at_ns,
                                       const BucketRate& rate, std::int64_t cost,
                                       std::int64_t now_ns);

// When a bucket that is full at `full_at_ns` may be forgotten, by the clock that `now_ns` is of. It outlives the moment
// at which it is full by the slack: an attempt that began a little earlier must not find it gone before that.
[[nodiscard]] constexpr std::int64_t bucket_expiry_ms(std::int64_t full_at_ns) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return (full_at_ns + kSlackNs) / kNsPerMs + 1;
}

}  // namespace helios::kv
