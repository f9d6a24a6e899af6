// SPDX-License-Identifier: Apache-2.0
#include "kv/transaction.hpp"

// Charges of a transaction. While the charges of a key are open, only their answers are remembered; whatever shows the
// number itself turns them into a read and a write.

namespace helios::kv {
namespace {

ChargeAnswer ended(ReadStatus why) { return {.status = ChargeStatus::ended, .read = why}; }

ChargeAnswer not_admitted(WriteStatus why) {
  return {.status = ChargeStatus::not_admitted, .write = why};
}

ChargeAnswer answered(bool is_made) {
  return {.status = is_made ? ChargeStatus::made : ChargeStatus::refused};
}

std::optional<Number> number_of(ReadStatus status, std::string_view value, const Stamp& stamp) {
  if (status == ReadStatus::absent) return Number();
  const std::optional<std::int64_t> number = number_in(value);
  if (!number) return std::nullopt;
  return Number{.value = number, .expires_at_ms = stamp.expires_at_ms};
}

bool keeps_expiry(const Number& before, const Number& after) {
  return before.value && before.expires_at_ms == after.expires_at_ms;
}

}  // namespace

ChargeRecord* Transaction::open_charge(std::string_view key) {
  ChargeRecord* const charge = charges_.find(key);
  return charge != nullptr && charge->state == ChargeRecord::State::open ? charge : nullptr;
}

ChargeAnswer Transaction::charge(std::string_view key, const Charge& charge) {
  if (ended_) return ended(*ended_);
  if (!may_be_key(key)) return not_admitted(WriteStatus::invalid_key);
  ChargeRecord* const open = open_charge(key);
  const bool is_known = reads_.find(key) != nullptr || writes_.find(key) != nullptr;
  if (open == nullptr && is_known) return charge_what_is_read(key, charge);

  Stamp stamp;
  const ReadStatus status = read_committed(key, stamp);
  if (ended_) return ended(*ended_);
  std::optional<Number> number = number_of(status, charged_value_, stamp);
  if (!number) return count_as_read(open, key, stamp, {.status = ChargeStatus::not_a_number});
  if (open != nullptr) {
    // The store has found that what was told still holds.
    if (open->seen == stamp.version) {
      number = open->after;
    } else {
      (void)repeat_charges(open->steps, *number);
    }
  }
  const ChargeStep step{.charge = charge, .is_made = make_charge(charge, *number)};
  const WriteStatus admitted = admit_charge(open, key, step);
  if (admitted != WriteStatus::ok) return count_as_read(open, key, stamp, not_admitted(admitted));
  note_charge(open, key, step);
  ChargeRecord& record = open != nullptr ? *open : *charges_.find(key);
  record.seen = stamp.version;
  record.after = *number;
  return answered(step.is_made);
}

ReadStatus Transaction::read_committed(std::string_view key, Stamp& stamp) {
  const ReadStatus status = store_.read(*this, key, charged_value_, stamp);
  if (status == ReadStatus::not_resident) missing_key_.assign(key);
  const bool is_answer = status == ReadStatus::value || status == ReadStatus::absent;
  return is_answer ? status : end_attempt(status);
}

WriteStatus Transaction::admit_charge(const ChargeRecord* open, std::string_view key,
                                      const ChargeStep& step) {
  const bool is_effective = step.is_made && changes_number(step.charge);
  const std::uint64_t read_bytes = open == nullptr ? entry_bytes(key.size(), 0) : 0;
  const std::uint64_t write_bytes = is_effective && (open == nullptr || !open->has_effect)
                                        ? entry_bytes(key.size(), sizeof(std::int64_t))
                                        : 0;
  if (!has_room_for(charge_steps_, sizeof(ChargeStep) + read_bytes + write_bytes))
    return WriteStatus::transaction_too_large;
  if (is_effective) {
    const WriteStatus admitted = store_.admit(*this, key, sizeof(std::int64_t));
    if (admitted != WriteStatus::ok) return admitted;
  }
  ++charge_steps_;
  read_bytes_ += sizeof(ChargeStep) + read_bytes;
  write_bytes_ += write_bytes;
  return WriteStatus::ok;
}

void Transaction::note_charge(ChargeRecord* open, std::string_view key, const ChargeStep& step) {
  const bool is_effective = step.is_made && changes_number(step.charge);
  has_effective_charges_ |= is_effective;
  if (open != nullptr) {
    open->steps.push_back(step);
    open->has_effect |= is_effective;
    return;
  }
  charges_.add([&](ChargeRecord& record) {
    record.key.assign(key);
    record.state = ChargeRecord::State::open;
    record.steps.assign(1, step);
    record.has_effect = is_effective;
  });
}

// What was answered depends on more than a condition can say.
ChargeAnswer Transaction::count_as_read(ChargeRecord* open, std::string_view key,
                                        const Stamp& stamp, const ChargeAnswer& answer) {
  if (open != nullptr) {
    if (const ReadStatus status = read_charged(*open); status != ReadStatus::value)
      return ended(status);
    return answer;
  }
  if (!has_room_for_read(key)) return ended(end_attempt(ReadStatus::failed));
  note_read(key, stamp);
  return answer;
}

ChargeAnswer Transaction::charge_what_is_read(std::string_view key, const Charge& charge) {
  Found found;
  const ReadStatus status = find(key, found);
  if (ended_) return ended(*ended_);
  const std::optional<Number> before = number_of(status, found.value, found.stamp);
  if (!before) return {.status = ChargeStatus::not_a_number};
  Number after = *before;
  if (!make_charge(charge, after)) return answered(false);
  const WriteStatus written =
      after == *before ? WriteStatus::ok : write_number(key, *before, after);
  return written == WriteStatus::ok ? answered(true) : not_admitted(written);
}

WriteStatus Transaction::write_number(std::string_view key, const Number& before,
                                      const Number& after) {
  if (!after.value) return erase(key);
  const std::string_view bytes = number_bytes(*after.value);
  return keeps_expiry(before, after) ? update(key, bytes) : set(key, bytes, after.expires_at_ms);
}

void Transaction::carry_out(const ChargeRecord& charge, const Number& before, const Number& after) {
  if (before == after) return;
  writes_.add([&](WriteRecord& write) {
    write.key.assign(charge.key);
    write.is_erase = !after.value;
    write.value.assign(after.value ? number_bytes(*after.value) : std::string_view());
    write.expires_at_ms = after.expires_at_ms;
    write.keeps_expiry = after.value && keeps_expiry(before, after);
  });
}

ReadStatus Transaction::read_charged(ChargeRecord& open) {
  if (!has_room_for_read(open.key)) return end_attempt(ReadStatus::failed);
  Stamp stamp;
  const ReadStatus status = read_committed(open.key, stamp);
  if (ended_) return *ended_;
  note_read(open.key, stamp);
  open.state = ChargeRecord::State::read;
  const std::optional<Number> before = number_of(status, charged_value_, stamp);
  if (!before || !open.has_effect) return ReadStatus::value;
  Number after = *before;
  (void)repeat_charges(open.steps, after);
  carry_out(open, *before, after);
  return ReadStatus::value;
}

ReadStatus Transaction::read_charged_in(const KeyRange& range) {
  for (const ChargeRecord& charge : charges_.view()) {
    if (!range.covers(charge.key)) continue;
    ChargeRecord* const open = open_charge(charge.key);
    if (open != nullptr && read_charged(*open) != ReadStatus::value) return *ended_;
  }
  return ReadStatus::value;
}

}  // namespace helios::kv
