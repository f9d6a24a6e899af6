// SPDX-License-Identifier: Apache-2.0
#include "kv/memory_namespace.hpp"

#include <algorithm>

// Charges: whether what was told still holds, and what it comes to. All with mutex_ held.

namespace helios::kv {
namespace {

struct Present {
  std::optional<Number> number;  // none: the value is no number
  Version version = kAbsent;
};

Present present_of(const Entry* entry, std::int64_t as_of_ms) {
  if (entry == nullptr || entry->is_expired(as_of_ms)) return {.number = Number()};
  Present present{.number = std::nullopt, .version = entry->version};
  if (const std::optional<std::int64_t> value = number_in(entry->value))
    present.number = Number{.value = value, .expires_at_ms = entry->expires_at_ms};
  return present;
}

}  // namespace

bool MemoryNamespace::charges_hold(const Transaction& transaction, std::int64_t as_of_ms) const {
  return std::ranges::all_of(transaction.charges(), [this, as_of_ms](const ChargeRecord& charge) {
    if (charge.state == ChargeRecord::State::read) return true;
    Present present = present_of(entries_.find(charge.key), as_of_ms);
    if (present.version == charge.seen) return true;
    return present.number && repeat_charges(charge.steps, *present.number);
  });
}

// Requires: charges_hold().
void MemoryNamespace::carry_out_charges(Transaction& transaction) const {
  for (const ChargeRecord& charge : transaction.charges()) {
    if (charge.state != ChargeRecord::State::open || !charge.has_effect) continue;
    const Present before = present_of(entries_.find(charge.key), transaction.as_of_ms());
    if (!before.number) continue;
    Number after = charge.after;
    if (before.version != charge.seen) {
      after = *before.number;
      (void)repeat_charges(charge.steps, after);
    }
    transaction.carry_out(charge, *before.number, after);
  }
}

// What the open charges would change beside the write of `ignored_key`.
Growth MemoryNamespace::growth_of_charges(const Transaction& transaction,
                                          std::string_view ignored_key) const {
  Growth sum;
  for (const ChargeRecord& charge : transaction.charges()) {
    const bool counts = charge.state == ChargeRecord::State::open && charge.has_effect;
    if (!counts || charge.key == ignored_key) continue;
    const Growth growth = entries_.growth(charge.key, sizeof(std::int64_t));
    sum.keys += growth.keys;
    sum.bytes += growth.bytes;
  }
  return sum;
}

}  // namespace helios::kv
