// SPDX-License-Identifier: Apache-2.0
#pragma once

// A non-negative integer with room for every number that reading or writing a double needs: the
// largest has about 1,200 bits. Little-endian words, no leading zero words.

#include "helios/memory.hpp"

#include <stdint.h>

namespace helios::plugin::detail {

class Bignum {
 public:
  static constexpr int kWords = 44;

  Bignum() = default;
  explicit Bignum(uint64_t value) {
    words_[0] = static_cast<uint32_t>(value);
    words_[1] = static_cast<uint32_t>(value >> 32);
    size_ = words_[1] != 0 ? 2 : (words_[0] != 0 ? 1 : 0);
  }

  [[nodiscard]] bool is_zero() const { return size_ == 0; }

  [[nodiscard]] int bit_length() const {
    if (size_ == 0) return 0;
    return size_ * 32 - __builtin_clz(words_[size_ - 1]);
  }

  void multiply(uint32_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < size_; ++i) {
      carry += uint64_t{words_[i]} * factor;
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) push(static_cast<uint32_t>(carry));
  }

  void multiply_by_power_of_ten(int exponent) {
    for (; exponent >= 9; exponent -= 9) multiply(1000000000);
    for (; exponent > 0; --exponent) multiply(10);
  }

  void shift_left(int bits) {
    if (size_ == 0 || bits == 0) return;
    const int words = bits / 32;
    const int rest = bits % 32;
    const int old_size = size_;
    if (old_size + words + 1 > kWords) fail();
    for (int i = old_size + words; i >= 0; --i) {
      const uint64_t high = i - words >= 0 && i - words < old_size ? words_[i - words] : 0;
      const uint64_t low = i - words - 1 >= 0 ? words_[i - words - 1] : 0;
      words_[i] = static_cast<uint32_t>(((high << 32 | low) << rest) >> 32);
    }
    size_ = old_size + words + 1;
    trim();
  }

  // Divides by 2^bits and rounds to the nearest integer, ties to the even one.
  void shift_right_rounded(int bits) {
    if (bits == 0) return;
    const bool half = bit(bits - 1);
    bool more = false;
    for (int i = 0; i < bits - 1 && !more; ++i) more = bit(i);
    const int words = bits / 32;
    const int rest = bits % 32;
    for (int i = 0; i < size_; ++i) {
      const uint64_t low = i + words < size_ ? words_[i + words] : 0;
      const uint64_t high = i + words + 1 < size_ ? words_[i + words + 1] : 0;
      words_[i] = static_cast<uint32_t>((high << 32 | low) >> rest);
    }
    trim();
    if (half && (more || bit(0))) add(Bignum(1));
  }

  // Divides by a small number and returns the remainder.
  uint32_t divide(uint32_t divisor) {
    uint64_t rest = 0;
    for (int i = size_ - 1; i >= 0; --i) {
      rest = rest << 32 | words_[i];
      words_[i] = static_cast<uint32_t>(rest / divisor);
      rest %= divisor;
    }
    trim();
    return static_cast<uint32_t>(rest);
  }

  void add(const Bignum& other) {
    uint64_t carry = 0;
    const int count = size_ > other.size_ ? size_ : other.size_;
    for (int i = 0; i < count; ++i) {
      carry += uint64_t{i < size_ ? words_[i] : 0} + (i < other.size_ ? other.words_[i] : 0);
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    size_ = count;
    if (carry != 0) push(static_cast<uint32_t>(carry));
  }

  // Requires: other <= *this.
  void subtract(const Bignum& other) {
    int64_t borrow = 0;
    for (int i = 0; i < size_; ++i) {
      const int64_t difference =
          int64_t{words_[i]} - (i < other.size_ ? int64_t{other.words_[i]} : 0) + borrow;
      words_[i] = static_cast<uint32_t>(difference);
      borrow = difference < 0 ? -1 : 0;
    }
    trim();
  }

  // -1, 0 or 1.
  [[nodiscard]] int compare(const Bignum& other) const {
    if (size_ != other.size_) return size_ < other.size_ ? -1 : 1;
    for (int i = size_ - 1; i >= 0; --i)
      if (words_[i] != other.words_[i]) return words_[i] < other.words_[i] ? -1 : 1;
    return 0;
  }

 private:
  [[nodiscard]] bool bit(int index) const {
    return index / 32 < size_ && (words_[index / 32] >> (index % 32) & 1) != 0;
  }

  void push(uint32_t word) {
    if (size_ == kWords) fail();
    words_[size_++] = word;
  }

  void trim() {
    while (size_ > 0 && words_[size_ - 1] == 0) --size_;
  }

  uint32_t words_[kWords] = {};
  int size_ = 0;
};

}  // namespace helios::plugin::detail
