// SPDX-License-Identifier: Apache-2.0
#pragma once

// The arithmetic between doubles and decimal digits, exact: shortest digits by Steele and White's
// method ("How to print floating-point numbers accurately"), reading by long division. numbers.hpp
// puts text around it.

#include "helios/detail/bignum.hpp"

#include <stdint.h>

namespace helios::plugin::detail {

inline constexpr uint64_t kHiddenBit = uint64_t{1} << 52;
inline constexpr int kExponentBias = 1075;  // of the fraction as an integer
inline constexpr uint64_t kInfinity = uint64_t{0x7ff} << 52;

// A finite double as fraction * 2^exponent.
struct Parts {
  uint64_t fraction = 0;
  int exponent = 0;
  bool negative = false;
};

inline Parts parts_of(double value) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, value);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t fraction = bits & (kHiddenBit - 1);
  Parts parts;
  parts.negative = bits >> 63 != 0;
  parts.fraction = exponent == 0 ? fraction : fraction | kHiddenBit;
  parts.exponent = (exponent == 0 ? 1 : exponent) - kExponentBias;
  return parts;
}

// Decimal digits d1 d2 ... of a number 0.d1d2... * 10^point.
struct Digits {
  static constexpr int kMax = 20;
  char text[kMax] = {};
  int count = 0;
  int point = 0;
};

// The quotient value/scale and how far the neighbouring doubles are, all over the same scale.
struct Remainder {
  Bignum value;
  Bignum scale;
  Bignum up;                 // half the way to the next larger double
  Bignum down;               // half the way to the next smaller one
  bool ends_belong = false;  // a text in the middle between two doubles reads as this one

  void multiply_by_ten() {
    value.multiply(10);
    up.multiply(10);
    down.multiply(10);
  }
  // Would the digits so far, plus one in the last place, still read as the same double?
  [[nodiscard]] bool reaches_up() const {
    Bignum sum = value;
    sum.add(up);
    const int order = sum.compare(scale);
    return order > 0 || (order == 0 && ends_belong);
  }
  // Would the digits so far do as they are?
  [[nodiscard]] bool reaches_down() const {
    const int order = value.compare(down);
    return order < 0 || (order == 0 && ends_belong);
  }
};

inline Remainder remainder_of(const Parts& parts) {
  // At a power of two the next smaller double is only half as far away.
  const bool uneven = parts.fraction == kHiddenBit && parts.exponent > 1 - kExponentBias;
  const int extra = uneven ? 2 : 1;
  Remainder remainder;
  remainder.ends_belong = parts.fraction % 2 == 0;
  remainder.value = Bignum(parts.fraction);
  remainder.scale = Bignum(1);
  remainder.up = Bignum(1);
  remainder.down = Bignum(1);
  const int up = parts.exponent > 0 ? parts.exponent : 0;
  const int down = parts.exponent < 0 ? -parts.exponent : 0;
  remainder.value.shift_left(up + extra);
  remainder.scale.shift_left(down + extra);
  remainder.up.shift_left(up + extra - 1);
  remainder.down.shift_left(up);
  return remainder;
}

// The least p with value < 10^p, or one less.
inline int estimated_point(const Parts& parts) {
  const int bits = Bignum(parts.fraction).bit_length() + parts.exponent - 1;
  const double logarithm = bits * 0.30102999566398114;
  const int below = static_cast<int>(logarithm);
  return logarithm > below ? below + 1 : below;
}

// The fewest digits that read as this double again. Requires: value > 0, finite.
inline Digits shortest_digits(double value) {
  const Parts parts = parts_of(value);
  Remainder remainder = remainder_of(parts);
  Digits digits;
  digits.point = estimated_point(parts);
  if (digits.point >= 0) {
    remainder.scale.multiply_by_power_of_ten(digits.point);
  } else {
    remainder.value.multiply_by_power_of_ten(-digits.point);
    remainder.up.multiply_by_power_of_ten(-digits.point);
    remainder.down.multiply_by_power_of_ten(-digits.point);
  }
  if (remainder.reaches_up()) {
    ++digits.point;
  } else {
    remainder.multiply_by_ten();
  }
  while (digits.count < Digits::kMax) {
    int digit = 0;
    for (; remainder.value.compare(remainder.scale) >= 0; ++digit)
      remainder.value.subtract(remainder.scale);
    const bool up = remainder.reaches_up();
    const bool down = remainder.reaches_down();
    if (up && down) {
      remainder.value.multiply(2);
      const int order = remainder.value.compare(remainder.scale);
      if (order > 0 || (order == 0 && digit % 2 != 0)) ++digit;
    } else if (up) {
      ++digit;
    }
    digits.text[digits.count++] = static_cast<char>('0' + digit);
    if (up || down) break;
    remainder.multiply_by_ten();
  }
  return digits;
}

// quotient * 2^exponent, quotient between 2^63 and 2^64, rounded to the nearest double (ties to the
// even one). `more`: something below the quotient's last bit was cut off. Infinity = out of range.
inline double rounded(uint64_t quotient, int exponent, bool more) {
  const int top = exponent + 63;
  if (top > 1023) return __builtin_bit_cast(double, kInfinity);
  const int kept = top >= -1022 ? 53 : 53 - (-1022 - top);
  if (kept < 0) return 0;
  const int dropped = 64 - kept;
  uint64_t fraction = kept == 0 ? 0 : quotient >> dropped;
  const uint64_t rest = kept == 0 ? quotient : quotient & ((uint64_t{1} << dropped) - 1);
  const uint64_t half = uint64_t{1} << (dropped - 1);
  if (rest > half || (rest == half && (more || fraction % 2 != 0))) ++fraction;
  // A fraction that was rounded up to the next power of two moves into the exponent by itself.
  const uint64_t biased = top >= -1022 ? static_cast<uint64_t>(top + 1022) << 52 : 0;
  return __builtin_bit_cast(double, biased + fraction);
}

// digits * 10^exponent as the nearest double; infinity = out of range.
inline double double_of(uint64_t digits, int exponent) {
  if (digits == 0) return 0;
  if (digits <= uint64_t{1} << 53 && exponent >= -22 && exponent <= 22) {
    // Both sides are exact doubles, so one rounding gives the nearest one.
    double power = 1;
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; --i) power *= 10;
    const double value = static_cast<double>(digits);
    return exponent < 0 ? value / power : value * power;
  }
  if (exponent > 310) return __builtin_bit_cast(double, kInfinity);
  if (exponent < -345) return 0;
  Bignum numerator(digits);
  Bignum denominator(1);
  numerator.multiply_by_power_of_ten(exponent);
  denominator.multiply_by_power_of_ten(-exponent);
  // Bring the quotient between 1 and 2, then take it bit by bit.
  int scale = numerator.bit_length() - denominator.bit_length();
  if (scale >= 0) {
    denominator.shift_left(scale);
  } else {
    numerator.shift_left(-scale);
  }
  if (numerator.compare(denominator) < 0) {
    numerator.shift_left(1);
    --scale;
  }
  uint64_t quotient = 0;
  for (int i = 0; i < 64; ++i) {
    quotient <<= 1;
    if (numerator.compare(denominator) >= 0) {
      numerator.subtract(denominator);
      quotient |= 1;
    }
    numerator.shift_left(1);
  }
  return rounded(quotient, scale - 63, !numerator.is_zero());
}

}  // namespace helios::plugin::detail
