// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes and maybes, as a guest without a C++ library needs them: StringView borrows, String owns,
// Optional is a value or nothing. All three hold bytes, not characters.

#include "helios/memory.hpp"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

// A value or nothing. T needs a default constructor.
template <class T>
class Optional {
 public:
  Optional() = default;
  Optional(T value) : value_(static_cast<T&&>(value)), has_value_(true) {}

  [[nodiscard]] bool has_value() const { return has_value_; }
  explicit operator bool() const { return has_value_; }

  // Requires: has_value().
  const T& operator*() const { return value_; }
  T& operator*() { return value_; }
  const T* operator->() const { return &value_; }
  T* operator->() { return &value_; }

  [[nodiscard]] T value_or(T other) const { return has_value_ ? value_ : other; }

 private:
  T value_{};
  bool has_value_ = false;
};

// Bytes that belong to someone else, who must keep them as long as the view is used.
class StringView {
 public:
  constexpr StringView() = default;
  constexpr StringView(const char* data, size_t size) : data_(data), size_(size) {}
  constexpr StringView(const char* text) : data_(text) {
    while (text[size_] != '\0') ++size_;
  }

  [[nodiscard]] constexpr const char* data() const { return data_; }
  [[nodiscard]] constexpr size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  // Requires: index < size().
  constexpr char operator[](size_t index) const { return data_[index]; }
  [[nodiscard]] constexpr const char* begin() const { return data_; }
  [[nodiscard]] constexpr const char* end() const { return data_ + size_; }

  // The part from `begin` on, at most `length` bytes; what lies outside is left out.
  [[nodiscard]] constexpr StringView part(size_t begin, size_t length = SIZE_MAX) const {
    const size_t first = begin < size_ ? begin : size_;
    const size_t rest = size_ - first;
    return {data_ + first, length < rest ? length : rest};
  }
  [[nodiscard]] constexpr bool starts_with(StringView prefix) const {
    return part(0, prefix.size()) == prefix;
  }

  friend constexpr bool operator==(StringView left, StringView right) {
    if (left.size_ != right.size_) return false;
    for (size_t i = 0; i < left.size_; ++i)
      if (left.data_[i] != right.data_[i]) return false;
    return true;
  }

 private:
  const char* data_ = "";
  size_t size_ = 0;
};

// Bytes of one's own; grows as they are appended.
class String {
 public:
  String() = default;
  String(StringView text) { append(text); }
  String(const char* text) : String(StringView(text)) {}
  String(const String& other) : String(other.view()) {}
  String(String&& other) noexcept { swap(other); }
  String& operator=(String other) noexcept {
    swap(other);
    return *this;
  }
  ~String() {
    if (data_ != nullptr) detail::release(data_, capacity_);
  }

  [[nodiscard]] const char* data() const { return data_ == nullptr ? "" : data_; }
  [[nodiscard]] char* data() { return data_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] StringView view() const { return {data(), size_}; }
  operator StringView() const { return view(); }
  // Requires: index < size().
  char operator[](size_t index) const { return data_[index]; }

  void append(StringView text) {
    reserve(size_ + text.size());
    detail::copy_forwards(data_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  void append(char byte) {
    reserve(size_ + 1);
    data_[size_++] = byte;
  }

  // Room for `bytes` in all, without changing the contents.
  void reserve(size_t bytes) {
    if (bytes <= capacity_) return;
    const size_t doubled = capacity_ * 2;
    const size_t wanted = bytes > doubled ? bytes : doubled;
    char* fresh = static_cast<char*>(detail::allocate(wanted));
    detail::copy_forwards(fresh, data(), size_);
    if (data_ != nullptr) detail::release(data_, capacity_);
    data_ = fresh;
    capacity_ = wanted;
  }

  // Takes the first `bytes` of the reserved room as the contents, whatever was written there.
  // Requires: reserve(bytes) was called.
  void assume_size(size_t bytes) { size_ = bytes; }

  void swap(String& other) noexcept {
    char* const data = data_;
    const size_t size = size_;
    const size_t capacity = capacity_;
    data_ = other.data_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    other.data_ = data;
    other.size_ = size;
    other.capacity_ = capacity;
  }

  friend bool operator==(const String& left, StringView right) { return left.view() == right; }
  friend bool operator==(const String& left, const String& right) {
    return left.view() == right.view();
  }
  friend bool operator==(const String& left, const char* right) {
    return left.view() == StringView(right);
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// The parts, one after the other: concat("tenant:", id, ":usage").
template <class... Parts>
[[nodiscard]] String concat(const Parts&... parts) {
  const StringView views[] = {StringView(parts)...};
  size_t bytes = 0;
  for (const StringView view : views) bytes += view.size();
  String result;
  result.reserve(bytes);
  for (const StringView view : views) result.append(view);
  return result;
}

// Appends the parts, one after the other, which saves the copy that concat() makes.
template <class... Parts>
void append_all(String& out, const Parts&... parts) {
  const StringView views[] = {StringView(parts)...};
  for (const StringView view : views) out.append(view);
}

}  // namespace helios::plugin
