// SPDX-License-Identifier: Apache-2.0
#pragma once

// Charges: changes of a number that depend on it by a condition alone, and answer whether it held. A transaction
// remembers the answer, not which version of the number it saw: at commit the condition is asked again of the number as it
// is then. So transactions that charge one key do not conflict, unless one would be told something else now.
//
// A number is a value of 8 bytes, little-endian, as counters and token buckets are kept.
// Pure: the time is in the charges.

#include "kv/store.hpp"
#include "kv/token_bucket.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace helios::kv {

// Adds to a counter if the sum stays within `limit`: at most that, and where the amount is negative at least that.
// One that is not there holds 0. A sum beyond 64 bits is beyond every limit.
struct CounterCharge {
  std::int64_t amount = 0;  // 0 only asks whether it is at most `limit`
  std::int64_t limit = 0;
  ExpiryMs expires_at_ms =
      kNeverExpires;  // of a counter that this makes; one that is there keeps its time
};

// Takes tokens from a bucket (token_bucket.hpp) if they are there. A key that is not there is a full bucket, and a full
// one is not kept.
struct BucketDraw {
  BucketRate rate;
  std::int64_t cost = 0;  // 0 only asks, a negative one gives back
  std::int64_t now_ns = 0;
};

using Charge = std::variant<CounterCharge, BucketDraw>;

// What stands under a key while charges are made on it.
struct Number {
  std::optional<std::int64_t> value;  // none: the key is not there
  ExpiryMs expires_at_ms = kNeverExpires;

  bool operator==(const Number&) const = default;
};

// nullopt: no number.
[[nodiscard]] std::optional<std::int64_t> number_in(std::string_view bytes);

// The 8 bytes; they view `number`.
[[nodiscard]] std::string_view number_bytes(const std::int64_t& number);

// Makes the charge on `number` if its condition holds, and returns whether it did. A charge that is not made changes
// nothing.
[[nodiscard]] bool make_charge(const Charge& charge, Number& number);

// Could it change a number, or does it only ask?
[[nodiscard]] bool changes_number(const Charge& charge);

struct ChargeStep {
  Charge charge;
  bool is_made = false;  // as the caller was told
};

// Makes the same charges on another number. False, and `number` is of no meaning: somebody would be told something else.
[[nodiscard]] bool repeat_charges(std::span<const ChargeStep> steps, Number& number);

// The charges of one transaction on one key.
struct ChargeRecord {
  enum class State {
    open,         // what they come to is written at commit
    overwritten,  // the transaction has set or deleted the key since: only the answers count
    read,         // it has read the key since: its version counts, and what they come to is a write
  };

  std::string key;
  State state = State::open;
  std::vector<ChargeStep> steps;  // in order
  bool has_effect = false;        // one of them was made, and may have changed the number
  // The number that `key` had under the version `seen`, after all steps.
  Version seen = kAbsent;
  Number after;
};

enum class ChargeStatus {
  made,
  refused,       // its condition does not hold; nothing was changed
  not_a_number,  // the value is not of 8 bytes; nothing was changed
  not_admitted,  // a limit is in the way, or the key cannot be one; nothing was changed
  ended,         // the attempt is over
};

struct ChargeAnswer {
  ChargeStatus status = ChargeStatus::made;
  WriteStatus write = WriteStatus::ok;  // why it was not_admitted
  ReadStatus read = ReadStatus::value;  // why it has ended
};

}  // namespace helios::kv
