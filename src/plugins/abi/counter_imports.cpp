// SPDX-License-Identifier: Apache-2.0

// Numbers in the plugin's namespace that the host reckons with: counters and token buckets. A value of 8
// bytes either way.

#include "kv/token_bucket.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/state_access.hpp"

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

std::int32_t keep_bucket(HostCalls& calls, std::string_view key, const kv::BucketAnswer& answer,
                         std::int64_t now_ns) {
  if (answer.full_at_ns <= now_ns)
    return code_of(calls, {"kv_take", calls.transaction().erase(key), 0});
  const kv::ExpiryMs expires = kv::bucket_expiry_ms(answer.full_at_ns);
  return code_of(calls,
                 {"kv_take", calls.transaction().set(key, bytes_of(answer.full_at_ns), expires),
                  kv::entry_bytes(key.size(), kNumberBytes)});
}

// What a bucket's time is counted by: the attempt's one millisecond.
std::int64_t bucket_now_ns(HostCalls& calls) {
  return std::clamp<std::int64_t>(calls.state_now_ms(), 0, kv::kMaxNowNs / kNsPerMs) * kNsPerMs;
}

std::int32_t code_of(kv::RateError error) {
  return error == kv::RateError::overflow ? kOverflow : kInvalid;
}

std::optional<std::int32_t> kv_take(HostCalls& calls, std::string_view key, std::int64_t cost,
                                    std::int64_t burst, std::int64_t tokens, std::int64_t period_ns,
                                    std::span<char, 3 * kNumberBytes> out) {
  const kv::RateResult rated = kv::rate_of(burst, tokens, period_ns);
  if (!rated.rate) return code_of(rated.error);
  if (!calls.transaction().may_be_key(key)) return kInvalid;
  const auto present = read_entry(calls, key);
  if (!present) return std::nullopt;
  std::optional<std::int64_t> full_at_ns;
  if (present->is_there) {
    if (present->entry.value.size() != kNumberBytes) return kWrongType;
    full_at_ns = number_in(present->entry.value);
  }
  const std::int64_t now_ns = bucket_now_ns(calls);
  const kv::BucketAnswer answer = kv::take_tokens(full_at_ns, *rated.rate, cost, now_ns);
  if (answer.has_changed && cost != 0)
    if (const auto code = keep_bucket(calls, key, answer, now_ns); code != kOk) return code;
  put_number(out.data(), answer.remaining);
  put_number(out.data() + kNumberBytes, answer.retry_after_ns);
  put_number(out.data() + 2 * kNumberBytes, answer.reset_after_ns);
  return answer.is_allowed ? 1 : 0;
}

std::optional<std::int32_t> charge(HostCalls& calls, std::string_view operation,
                                   std::string_view key, const kv::Charge& charge) {
  const kv::ChargeAnswer answer = calls.transaction().charge(key, charge);
  switch (answer.status) {
    case kv::ChargeStatus::made: return 1;
    case kv::ChargeStatus::refused: return 0;
    case kv::ChargeStatus::not_a_number: return kWrongType;
    case kv::ChargeStatus::not_admitted:
      return code_of(calls, {operation, answer.write, kv::entry_bytes(key.size(), kNumberBytes)});
    case kv::ChargeStatus::ended: break;
  }
  (void)has_answer(calls, answer.read);
  return std::nullopt;
}

std::optional<std::int32_t> kv_charge(HostCalls& calls, std::string_view key, std::int64_t amount,
                                      std::int64_t limit, std::int64_t ttl_ms) {
  if (!is_ttl(ttl_ms)) return kInvalid;
  return charge(
      calls, "kv_charge", key,
      kv::CounterCharge{
          .amount = amount, .limit = limit, .expires_at_ms = expiry_after(calls, ttl_ms)});
}

std::optional<std::int32_t> kv_draw(HostCalls& calls, std::string_view key, std::int64_t cost,
                                    std::int64_t burst, std::int64_t tokens,
                                    std::int64_t period_ns) {
  const kv::RateResult rated = kv::rate_of(burst, tokens, period_ns);
  if (!rated.rate) return code_of(rated.error);
  return charge(calls, "kv_draw", key,
                kv::BucketDraw{.rate = *rated.rate, .cost = cost, .now_ns = bucket_now_ns(calls)});
}

}  // namespace

std::span<const HostFunction> counter_imports() {
  static const std::array kFunctions{
      host_function<kv_incr, Purity::writes>("env", "kv_incr"),
      host_function<kv_take, Purity::writes>("env", "kv_take"),
      host_function<kv_charge, Purity::writes>("env", "kv_charge"),
      host_function<kv_draw, Purity::writes>("env", "kv_draw"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
