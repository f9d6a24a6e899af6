// SPDX-License-Identifier: Apache-2.0

#include "net/engine/output_queue.hpp"

#include <algorithm>
#include <utility>

namespace helios::net {
namespace {

constexpr std::size_t kPooledBuffers = 64;
constexpr std::size_t kSmallestBufferBytes = 4 * 1024;
constexpr std::size_t kLargestPooledBytes = 64 * 1024;

}  // namespace

std::string BufferPool::take() {
  if (buffers_.empty()) {
    std::string buffer;
    buffer.reserve(kSmallestBufferBytes);
    return buffer;
  }
  auto buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void BufferPool::give(std::string buffer) {
  const bool is_useful =
      buffer.capacity() >= kSmallestBufferBytes && buffer.capacity() <= kLargestPooledBytes;
  if (is_useful && buffers_.size() < kPooledBuffers) {
    buffer.clear();
    buffers_.push_back(std::move(buffer));
  }
}

OutputQueue::~OutputQueue() {
  release(front_);
  release(back_);
  account();
}

void OutputQueue::account() {
  const auto memory_of = [](const std::string& buffer) {
    return buffer.capacity() >= kSmallestBufferBytes ? buffer.capacity() : 0;
  };
  const auto now = memory_of(front_) + memory_of(back_);
  pool_.count(std::exchange(counted_, now), now);
}

void OutputQueue::release(std::string& buffer) {
  if (buffer.capacity() >= kSmallestBufferBytes) {
    pool_.give(std::exchange(buffer, {}));
  }
}

void OutputQueue::append(std::span<const std::string_view> pieces, std::size_t skip) {
  auto& buffer = pinned_ || !back_.empty() ? back_ : front_;
  if (&buffer == &front_) {
    drop_sent_prefix();
  }
  for (const auto& piece : pieces) {
    const auto skipped = std::min(skip, piece.size());
    skip -= skipped;
    if (skipped < piece.size()) {
      if (buffer.capacity() < kSmallestBufferBytes) {
        buffer = pool_.take();
      }
      buffer.append(piece.substr(skipped));
    }
  }
  account();
  congested_ = congested_ || bytes() > kHighWaterBytes;
}

// A stream that is always a little behind never empties its buffer: without this it would only grow.
void OutputQueue::drop_sent_prefix() {
  if (sent_ >= kLowWaterBytes && sent_ >= front_.size() - sent_) {
    front_.erase(0, sent_);
    sent_ = 0;
  }
}

void OutputQueue::consume(std::size_t count) {
  sent_ += count;
  if (sent_ == front_.size()) {
    release(front_);
    front_.swap(back_);
    sent_ = 0;
    account();
  }
}

void OutputQueue::unpin() {
  pinned_ = false;
  if (std::exchange(cleared_, false)) {
    clear();
  }
}

void OutputQueue::clear() {
  release(back_);
  congested_ = false;
  if (pinned_) {
    cleared_ = true;
  } else {
    release(front_);
    sent_ = 0;
  }
  account();
}

std::string OutputQueue::take() {
  auto all = std::string(front()) + back_;
  clear();
  return all;
}

std::size_t OutputQueue::bytes() const {
  return cleared_ ? 0 : front_.size() - sent_ + back_.size();
}

bool OutputQueue::take_drained() {
  return congested_ && bytes() <= kLowWaterBytes && std::exchange(congested_, false);
}

}  // namespace helios::net
