// SPDX-License-Identifier: Apache-2.0
#include "kv/charge.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace helios::kv {
namespace {

static_assert(std::endian::native == std::endian::little);

bool make(const CounterCharge& charge, Number& number) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(number.value.value_or(0), charge.amount, &sum)) return false;
  if (charge.amount < 0 ? sum < charge.limit : sum > charge.limit) return false;
  if (charge.amount == 0) return true;
  if (!number.value) number.expires_at_ms = charge.expires_at_ms;
  number.value = sum;
  return true;
}

bool make(const BucketDraw& draw, Number& number) {
  const BucketAnswer answer = take_tokens(number.value, draw.rate, draw.cost, draw.now_ns);
  if (!answer.is_allowed) return false;
  if (!answer.has_changed || draw.cost == 0) return true;
  if (answer.full_at_ns <= draw.now_ns) {
    number = {};
  } else {
    number = {.value = answer.full_at_ns, .expires_at_ms = bucket_expiry_ms(answer.full_at_ns)};
  }
  return true;
}

bool changes(const CounterCharge& charge) { return charge.amount != 0; }
bool changes(const BucketDraw& draw) { return draw.cost != 0; }

}  // namespace

std::optional<std::int64_t> number_in(std::string_view bytes) {
  std::int64_t number = 0;
  if (bytes.size() != sizeof(number)) return std::nullopt;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

std::string_view number_bytes(const std::int64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

bool make_charge(const Charge& charge, Number& number) {
  return std::visit([&number](const auto& kind) { return make(kind, number); }, charge);
}

bool changes_number(const Charge& charge) {
  return std::visit([](const auto& kind) { return changes(kind); }, charge);
}

bool repeat_charges(std::span<const ChargeStep> steps, Number& number) {
  return std::ranges::all_of(steps, [&number](const ChargeStep& step) {
    return make_charge(step.charge, number) == step.is_made;
  });
}

}  // namespace helios::kv
