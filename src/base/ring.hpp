// SPDX-License-Identifier: Apache-2.0
#pragma once

// A queue whose elements lie in one piece of memory, used again and again: what a session or a link has under way.
//
// Positions count every element that was ever pushed: that of the front grows with each pop_front(). So a position that was
// noted names the same element as long as it is there.
//
// Memory: that of up to 1,024 elements is kept. What a long queue took comes back while it empties, and all of it when it
// is empty.
// Errors: make_room(), and emplace() without it, may throw std::bad_alloc, and change nothing then. T moves without
// exceptions.
// Lifetime: references end with the next call that is not const. Thread rule: one thread at a time.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace helios::base {

template <typename T>
class Ring {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  using Position = std::uint64_t;

  // The first element will have this position.
  explicit Ring(Position first) : first_(first), end_(first) {}
  ~Ring() {
    truncate(first_);
    release();
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  [[nodiscard]] bool empty() const { return first_ == end_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - first_); }
  [[nodiscard]] std::size_t held_bytes() const { return capacity_ * sizeof(T); }
  // Of the front, and behind the last element.
  [[nodiscard]] Position first() const { return first_; }
  [[nodiscard]] Position end() const { return end_; }
  [[nodiscard]] bool contains(Position position) const { return position - first_ < size(); }

  // Requires: contains(position).
  [[nodiscard]] T& operator[](Position position) { return *slot(position); }
  [[nodiscard]] const T& operator[](Position position) const { return *slot(position); }
  // Require: not empty().
  [[nodiscard]] T& front() { return *slot(first_); }
  [[nodiscard]] const T& front() const { return *slot(first_); }
  [[nodiscard]] T& back() { return *slot(end_ - 1); }

  // The next emplace() throws nothing but what T's constructor does.
  void make_room() {
    if (size() == capacity_) [[unlikely]]
      resize(std::max(kFirstCapacity, 2 * capacity_));
  }
  template <typename... Arguments>
  T& emplace(Arguments&&... arguments) {
    make_room();
    T* const made = std::construct_at(slot(end_), std::forward<Arguments>(arguments)...);
    ++end_;
    return *made;
  }
  // Requires: not empty().
  void pop_front() noexcept {
    std::destroy_at(slot(first_));
    ++first_;
    if (capacity_ > kKeptCapacity && size() <= capacity_ / 4) [[unlikely]]
      shrink();
  }
  // Drops what is at `end` and behind it. Requires: first() <= end <= this->end().
  void truncate(Position end) noexcept {
    while (end_ != end) std::destroy_at(slot(--end_));
  }

 private:
  static constexpr std::size_t kFirstCapacity = 4;
  static constexpr std::size_t kKeptCapacity = 1024;

  [[nodiscard]] T* slot(Position position) const {
    return slots_ + (static_cast<std::size_t>(position) & (capacity_ - 1));
  }

  // These two are apart, so that what calls them mostly is a comparison.
  // `capacity`: a power of two, not below size().
  [[gnu::noinline]] void resize(std::size_t capacity) {
    T* const slots = std::allocator<T>().allocate(capacity);
    for (Position position = first_; position != end_; ++position) {
      T* const from = slot(position);
      std::construct_at(slots + (static_cast<std::size_t>(position) & (capacity - 1)),
                        std::move(*from));
      std::destroy_at(from);
    }
    release();
    slots_ = slots;
    capacity_ = capacity;
  }
  [[gnu::noinline]] void shrink() noexcept {
    if (empty()) return release();
    if (capacity_ <= 2 * kKeptCapacity) return;
    try {
      resize(capacity_ / 2);
    } catch (const std::bad_alloc&) {
      // There is no memory for less: it stays as it is.
    }
  }
  void release() {
    if (capacity_ != 0) std::allocator<T>().deallocate(slots_, capacity_);
    slots_ = nullptr;
    capacity_ = 0;
  }

  T* slots_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two; 0 = no memory was taken yet
  Position first_;
  Position end_;
};

}  // namespace helios::base
