// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers as text. Reading is strict: the whole text is one number, or there is no answer. Writing
// a number and reading it again gives the same number, always.

#include "helios/detail/double_text.hpp"
#include "helios/text.hpp"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

namespace detail {

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// How many digits stand at `begin`.
inline size_t digits_at(StringView text, size_t begin) {
  size_t end = begin;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - begin;
}

// The length of the JSON number that `text` begins with; 0 = none.
inline size_t number_length(StringView text) {
  size_t at = text.starts_with("-") ? 1 : 0;
  const size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return 0;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction = digits_at(text, at + 1);
    if (fraction == 0) return 0;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t exponent = digits_at(text, at);
    if (exponent == 0) return 0;
    at += exponent;
  }
  return at;
}

// The digits of a number as an integer of at most 19 digits, and the power of ten to it.
struct Decimal {
  uint64_t digits = 0;
  int exponent = 0;
  bool negative = false;
};

inline constexpr int kExponentLimit = 1000000;  // far outside of every double

// Requires: text is a JSON number.
inline Decimal decimal_of(StringView text) {
  Decimal decimal;
  size_t at = 0;
  if (text[0] == '-') {
    decimal.negative = true;
    at = 1;
  }
  int taken = 0;
  bool in_fraction = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      in_fraction = true;
      continue;
    }
    const bool take = taken < 19;
    if (take) {
      decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(text[at] - '0');
      if (decimal.digits != 0) ++taken;
    }
    if (decimal.exponent > -kExponentLimit && decimal.exponent < kExponentLimit)
      decimal.exponent += (take ? 0 : 1) - (in_fraction ? 1 : 0);
  }
  if (at == text.size()) return decimal;
  ++at;
  const bool minus = text[at] == '-';
  if (!is_digit(text[at])) ++at;
  int exponent = 0;
  for (; at < text.size(); ++at)
    if (exponent < kExponentLimit) exponent = exponent * 10 + (text[at] - '0');
  decimal.exponent += minus ? -exponent : exponent;
  return decimal;
}

inline void append_zeros(String& out, int count) {
  for (int i = 0; i < count; ++i) out.append('0');
}

}  // namespace detail

inline void append_int(String& out, int64_t number) {
  char digits[20];
  size_t begin = sizeof digits;
  uint64_t rest = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  do {
    digits[--begin] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (number < 0) out.append('-');
  out.append(StringView(digits + begin, sizeof digits - begin));
}

[[nodiscard]] inline String format_int(int64_t number) {
  constexpr size_t kMostBytes = 20;
  String result;
  result.reserve(kMostBytes);
  append_int(result, number);
  return result;
}

// A whole decimal number, "-12" or "0042". Nothing for any other text, also when it does not fit.
[[nodiscard]] inline Optional<int64_t> parse_int(StringView text) {
  const bool negative = text.starts_with("-");
  const size_t begin = negative ? 1 : 0;
  if (begin == text.size() || begin + detail::digits_at(text, begin) != text.size()) return {};
  int64_t number = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    // Counted downwards, because there is one negative number more. No overflow builtins: the one
    // for multiplication calls a library that a guest does not have.
    const int64_t digit = text[i] - '0';
    if (number < (INT64_MIN + digit) / 10) return {};
    number = number * 10 - digit;
  }
  if (negative) return number;
  if (number == INT64_MIN) return {};
  return -number;
}

// A number as JSON writes it that is whole and fits: 10, 10.0, 1e3, 1200e-2. Exact, whatever its length. Nothing for any
// other text, and for 1.5.
[[nodiscard]] inline Optional<int64_t> parse_whole(StringView text) {
  if (text.empty() || detail::number_length(text) != text.size()) return {};
  constexpr int64_t kFarAway = int64_t{1} << 40;  // longer than any text
  const bool negative = text[0] == '-';
  size_t at = negative ? 1 : 0;
  const size_t begin = at;
  while (at < text.size() && text[at] != 'e' && text[at] != 'E') ++at;
  const StringView digits = text.part(begin, at - begin);  // with a point, perhaps
  int64_t exponent = 0;
  const bool is_down = at + 1 < text.size() && text[at + 1] == '-';
  for (; at < text.size(); ++at)
    if (detail::is_digit(text[at]) && exponent < kFarAway)
      exponent = exponent * 10 + (text[at] - '0');
  if (is_down) exponent = -exponent;
  size_t point = 0;
  while (point < digits.size() && digits[point] != '.') ++point;
  // Digits that stand behind the point, where the exponent puts it, must be 0; those in front of it are the number.
  const int64_t whole_digits = static_cast<int64_t>(point) + exponent;
  int64_t number = 0;  // counted downwards, as in parse_int()
  int64_t seen = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i == point) continue;
    const int64_t digit = digits[i] - '0';
    if (seen++ >= whole_digits) {
      if (digit != 0) return {};
      continue;
    }
    if (number < (INT64_MIN + digit) / 10) return {};
    number = number * 10 - digit;
  }
  for (; seen < whole_digits && number != 0; ++seen) {
    if (number < INT64_MIN / 10) return {};
    number *= 10;
  }
  if (negative) return number;
  if (number == INT64_MIN) return {};
  return -number;
}

// A number as JSON writes it. Nothing for any other text, and for what is too large for a double.
// The nearest double for up to 19 digits; digits after those are cut off.
[[nodiscard]] inline Optional<double> parse_double(StringView text) {
  if (text.empty() || detail::number_length(text) != text.size()) return {};
  const detail::Decimal decimal = detail::decimal_of(text);
  const double value = detail::double_of(decimal.digits, decimal.exponent);
  if (__builtin_isinf(value)) return {};
  return decimal.negative ? -value : value;
}

// The shortest text that parse_double() reads as the same number. "null" for what JSON cannot write:
// infinities and NaN.
[[nodiscard]] inline String format_double(double number) {
  if (__builtin_isinf(number) || __builtin_isnan(number)) return "null";
  const bool negative = detail::parts_of(number).negative;
  const double value = negative ? -number : number;
  String result = negative ? "-" : "";
  if (value == 0) return concat(result, "0");
  const detail::Digits digits = detail::shortest_digits(value);
  const StringView text(digits.text, static_cast<size_t>(digits.count));
  if (digits.point > 21 || digits.point < -5) {
    result.append(text.part(0, 1));
    if (text.size() > 1) result = concat(result, ".", text.part(1));
    return concat(result, "e", format_int(digits.point - 1));
  }
  if (digits.point <= 0) {
    result.append("0.");
    detail::append_zeros(result, -digits.point);
    result.append(text);
    return result;
  }
  result.append(text.part(0, static_cast<size_t>(digits.point)));
  detail::append_zeros(result, digits.point - digits.count);
  if (digits.count > digits.point)
    result = concat(result, ".", text.part(static_cast<size_t>(digits.point)));
  return result;
}

// The number with exactly `decimals` places (0 to 9), as C's %.Nf writes it: rounded from its exact
// value. "null" for infinities and NaN.
[[nodiscard]] inline String format_fixed(double number, int decimals) {
  if (__builtin_isinf(number) || __builtin_isnan(number)) return "null";
  const detail::Parts parts = detail::parts_of(number);
  detail::Bignum scaled(parts.fraction);
  scaled.multiply_by_power_of_ten(decimals);
  if (parts.exponent >= 0) {
    scaled.shift_left(parts.exponent);
  } else {
    scaled.shift_right_rounded(-parts.exponent);
  }
  char digits[330];
  size_t begin = sizeof digits;
  for (int written = 0; written <= decimals || !scaled.is_zero(); ++written) {
    if (written == decimals && decimals > 0) digits[--begin] = '.';
    digits[--begin] = static_cast<char>('0' + scaled.divide(10));
  }
  return concat(parts.negative ? "-" : "", StringView(digits + begin, sizeof digits - begin));
}

}  // namespace helios::plugin
