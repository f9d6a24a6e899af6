// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a stream was given to send and the kernel has not taken yet. Private to this module.

#include "net/engine/engine.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::net {

// Buffers that were used and will be used again: in the steady state nothing is allocated, and a
// stream without output holds none.
class BufferPool {
 public:
  // An empty string, with room in it.
  [[nodiscard]] std::string take();
  void give(std::string buffer);

  // What the queues hold, kept by them.
  void count(std::size_t before, std::size_t now) { queued_bytes_ += now - before; }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

 private:
  std::vector<std::string> buffers_;
  std::size_t queued_bytes_ = 0;  // memory, not content
};

// Flow: 1 append(); 2 offer front() to the kernel; 3 consume() what it took; 4 take_drained().
// Lifetime: the pool outlives it.
class OutputQueue {
 public:
  explicit OutputQueue(BufferPool& pool) : pool_(pool) {}
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  // Copies everything but the first `skip` bytes.
  void append(std::span<const std::string_view> pieces, std::size_t skip = 0);

  // The bytes to offer next: all of them, unless some came while the ones before were pinned.
  // Valid until the next call that is not const; while pinned, until unpin().
  [[nodiscard]] std::string_view front() const { return std::string_view(front_).substr(sent_); }

  // The kernel has taken the first `count` bytes of front(). Requires: not pinned.
  void consume(std::size_t count);

  // From pin() to unpin() the kernel reads what front() returned.
  void pin() { pinned_ = true; }
  void unpin();

  // Everything that was not consumed; the queue is empty then. Requires: not pinned.
  [[nodiscard]] std::string take();

  // Drops everything: none of it will ever be taken.
  void clear();

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool empty() const { return bytes() == 0; }

  // See Stream::congested().
  [[nodiscard]] bool congested() const { return congested_; }
  // True once, when the queue was congested and is not any more.
  [[nodiscard]] bool take_drained();

 private:
  void drop_sent_prefix();
  void release(std::string& buffer);
  void account();

  BufferPool& pool_;
  std::string front_;
  std::size_t sent_ = 0;     // bytes at the beginning of front_ that the kernel has taken
  std::string back_;         // what was appended while front_ was pinned, and since
  std::size_t counted_ = 0;  // memory of both that the pool knows of
  bool pinned_ = false;
  bool cleared_ = false;  // clear() was called while pinned
  bool congested_ = false;
};

}  // namespace helios::net
