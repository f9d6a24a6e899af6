// SPDX-License-Identifier: Apache-2.0

// Numbers in the plugin's namespace that the host reckons with: counters and token buckets. A value of 8
// bytes either way.

#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/state_access.hpp"
#include "plugins/supply/token_bucket.hpp"

#include <algorithm>
#include <array>

namespace helios::plugins {

namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

std::optional<std::int32_t> kv_incr(HostCalls& calls, std::string_view key, std::int64_t delta,
                                    std::int64_t limit, std::int64_t ttl_ms,
                                    std::span<char, kNumberBytes> out) {
  if (!is_ttl(ttl_ms)) return kInvalid;
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  const std::string_view value = present->entry.value;
  if (present->is_there && value.size() != kNumberBytes) return kWrongType;
  if (!present->is_there && delta == 0) return kMissing;
  const std::int64_t before = present->is_there ? number_in(value) : 0;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(before, delta, &sum)) return kOverflow;
  if ((delta > 0 && sum > limit) || (delta < 0 && sum < limit)) {
    put_number(out.data(), before);
    return kUnmet;
  }
  if (delta != 0) {
    const auto written = present->is_there ? calls.transaction().update(key, bytes_of(sum))
                                           : calls.transaction().set(key, bytes_of(sum),
                                                                     expiry_after(calls, ttl_ms));
    if (const auto code =
            code_of(calls, {"kv_incr", written, kv::entry_bytes(key.size(), kNumberBytes)});
        code != kOk)
      return code;
  }
  put_number(out.data(), sum);
  return kOk;
}

// The bucket outlives the moment at which it is full by the slack that its time is given: an attempt that
// began a little earlier must not find it gone before that.
std::int32_t keep_bucket(HostCalls& calls, std::string_view key, const BucketAnswer& answer,
                         std::int64_t now_ns) {
  if (answer.full_at_ns <= now_ns)
    return code_of(calls, {"kv_take", calls.transaction().erase(key), 0});
  const kv::ExpiryMs expires = (answer.full_at_ns + kSlackNs) / kNsPerMs + 1;
  return code_of(calls,
                 {"kv_take", calls.transaction().set(key, bytes_of(answer.full_at_ns), expires),
                  kv::entry_bytes(key.size(), kNumberBytes)});
}

std::optional<std::int32_t> kv_take(HostCalls& calls, std::string_view key, std::int64_t cost,
                                    std::int64_t burst, std::int64_t tokens, std::int64_t period_ns,
                                    std::span<char, 3 * kNumberBytes> out) {
  const RateResult rated = rate_of(burst, tokens, period_ns);
  if (!rated.rate) return rated.error == RateError::overflow ? kOverflow : kInvalid;
  if (!calls.transaction().may_be_key(key)) return kInvalid;
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  std::optional<std::int64_t> full_at_ns;
  if (present->is_there) {
    if (present->entry.value.size() != kNumberBytes) return kWrongType;
    full_at_ns = number_in(present->entry.value);
  }
  const std::int64_t now_ns =
      std::clamp<std::int64_t>(calls.state_now_ms(), 0, kMaxNowNs / kNsPerMs) * kNsPerMs;
  const BucketAnswer answer = take_tokens(full_at_ns, *rated.rate, cost, now_ns);
  if (answer.has_changed && cost != 0)
    if (const auto code = keep_bucket(calls, key, answer, now_ns); code != kOk) return code;
  put_number(out.data(), answer.remaining);
  put_number(out.data() + kNumberBytes, answer.retry_after_ns);
  put_number(out.data() + 2 * kNumberBytes, answer.reset_after_ns);
  return answer.is_allowed ? 1 : 0;
}

}  // namespace

std::span<const HostFunction> counter_imports() {
  static const std::array kFunctions{
      host_function<kv_incr, Purity::writes>("env", "kv_incr"),
      host_function<kv_take, Purity::writes>("env", "kv_take"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
