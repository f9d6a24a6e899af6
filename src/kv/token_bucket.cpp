// SPDX-License-Identifier: Apache-2.0
#include "kv/token_bucket.hpp"

#include <algorithm>

namespace helios::kv {

RateResult rate_of(std::int64_t burst, std::int64_t tokens, std::int64_t period_ns) {
  if (burst < 0 || tokens < 1 || period_ns < tokens) return {};
  const std::int64_t interval_ns = period_ns / tokens + (period_ns % tokens == 0 ? 0 : 1);
  if (burst > kMaxSpanNs / interval_ns) return {.rate = std::nullopt, .error = RateError::overflow};
  return {.rate = BucketRate{.burst = burst, .interval_ns = interval_ns}};
}

BucketAnswer take_tokens(std::optional<std::int64_t> full_at_ns, const BucketRate& rate,
                         std::int64_t cost, std::int64_t now_ns) {
  const std::int64_t empty_ns = now_ns + rate.span_ns();  // when an empty bucket would be full
  std::int64_t present_ns = std::max(full_at_ns.value_or(now_ns), now_ns);
  BucketAnswer answer;
  if (present_ns - empty_ns > kSlackNs) {
    present_ns = empty_ns;
    answer.has_changed = true;
  }
  // Beyond the bucket nothing is taken or given back, so the products stay within its span.
  if (cost > rate.burst) {
    answer.retry_after_ns = -1;
  } else {
    const std::int64_t wanted_ns = present_ns + std::max(cost, -rate.burst - 1) * rate.interval_ns;
    answer.is_allowed = cost <= 0 || wanted_ns <= empty_ns;
    if (!answer.is_allowed) {
      answer.retry_after_ns = wanted_ns - empty_ns;
    } else if (cost != 0) {
      const std::int64_t changed_ns = std::max(wanted_ns, now_ns);
      answer.has_changed |= changed_ns != present_ns;
      present_ns = changed_ns;
    }
  }
  answer.full_at_ns = present_ns;
  answer.remaining = std::max<std::int64_t>(empty_ns - present_ns, 0) / rate.interval_ns;
  answer.reset_after_ns = present_ns - now_ns;
  return answer;
}

}  // namespace helios::kv
