// SPDX-License-Identifier: Apache-2.0
#pragma once

// Instances of one plugin that were made before a call needs them, a few for each thread. Each holds
// one of the slots that all plugins share.
//
//   call begins   --> take(): an instance that is ready, or none: then the call makes its own
//   call has ended --> put_spent(): its instance, if no other call may see it
//   is_low()      --> whoever has time after the reply ends the spent ones, makes more and put()s them
//   plugin is replaced --> close()
//
// Thread rule: any thread. A thread finds what it, or a thread of its shard, put.

#include "plugins/supply/instance_slots.hpp"
#include "plugins/supply/thread_shard.hpp"
#include "plugins/wasm.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace helios::plugins {

// An instance and the slot that it is counted in; neither is there before it is made, and on the slow
// lane there is no slot.
struct LiveInstance {
  InstanceSlots::Lease slot = {};  // ends last
  std::unique_ptr<WasmInstance> instance = {};
};

class InstanceStock {
 public:
  // Keeps up to `target` instances per shard. `slots` outlives the stock.
  InstanceStock(InstanceSlots& slots, std::size_t target) : slots_(slots), target_(target) {}

  // One without an instance when there is none.
  [[nodiscard]] LiveInstance take();

  // Keeps `live`, or ends it and returns false: when there are enough, when others need the slots,
  // after close().
  bool put(LiveInstance live);

  // Ends `live`, now or in end_spent(): what an instance leaves behind takes time to clear away.
  void put_spent(LiveInstance live);
  void end_spent();

  // True when the calling thread should see to it that more are made: half of them are gone. Whoever
  // got true calls done_filling() some time later.
  [[nodiscard]] bool is_low();
  void done_filling() { mine().filling.store(false, std::memory_order_relaxed); }

  // Whether put() would keep another one.
  [[nodiscard]] bool has_room();

  // Ends all of them, and keeps no more.
  void close();

 private:
  struct alignas(64) Shard {
    std::mutex mutex;  // guards ready and spent
    std::vector<LiveInstance> ready;
    std::vector<LiveInstance> spent;
    std::atomic<std::size_t> count = 0;  // of ready, for a look without the mutex
    std::atomic<bool> filling = false;
  };

  Shard& mine() { return shards_[thread_shard()]; }

  InstanceSlots& slots_;
  const std::size_t target_;
  std::atomic<bool> closed_ = false;
  std::array<Shard, kThreadShards> shards_;
};

}  // namespace helios::plugins
