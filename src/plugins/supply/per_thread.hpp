// SPDX-License-Identifier: Apache-2.0
#pragma once

// One object at rest for each thread: what a piece of work leaves for the next one on the same thread.
//
//   take()  --> what the thread, or another one of its shard, put; else null
//   put()   --> rests until it is taken; what rested in its place is let go
//   close() --> all are let go, and so is at once what is put later
//
// Thread rule: any thread; nobody waits. take() and put() cost one atomic exchange each.

#include "plugins/supply/thread_shard.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <array>
#include <atomic>
#include <utility>

namespace helios::plugins {

// T has its count of owners inside (boost::intrusive_ref_counter): so one pointer that is exchanged can own it.
template <typename T>
class PerThread {
 public:
  using Pointer = boost::intrusive_ptr<T>;

  PerThread() = default;
  PerThread(const PerThread&) = delete;
  PerThread& operator=(const PerThread&) = delete;
  ~PerThread() { close(); }

  [[nodiscard]] Pointer take() { return exchange(mine(), {}); }

  void put(Pointer idle) {
    Shard& shard = mine();
    static_cast<void>(exchange(shard, std::move(idle)));
    // Put down, then look: close() does it in the opposite order, so one of the two lets it go.
    if (is_closed_.load()) static_cast<void>(exchange(shard, {}));
  }

  void close() {
    is_closed_.store(true);
    for (Shard& shard : shards_) static_cast<void>(exchange(shard, {}));
  }

 private:
  struct alignas(64) Shard {
    std::atomic<T*> idle = nullptr;  // counts as an owner
  };

  Shard& mine() { return shards_[thread_shard()]; }

  static Pointer exchange(Shard& shard, Pointer idle) {
    constexpr bool kAddOwner = false;
    return Pointer(shard.idle.exchange(idle.detach()), kAddOwner);
  }

  std::atomic<bool> is_closed_ = false;
  std::array<Shard, kThreadShards> shards_;
};

}  // namespace helios::plugins
