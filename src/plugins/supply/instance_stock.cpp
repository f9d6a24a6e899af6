// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/instance_stock.hpp"

#include <utility>

namespace helios::plugins {

LiveInstance InstanceStock::take() {
  Shard& shard = mine();
  if (shard.count.load(std::memory_order_relaxed) == 0) return {};
  const std::lock_guard lock(shard.mutex);
  if (shard.ready.empty()) return {};
  LiveInstance taken = std::move(shard.ready.back());
  shard.ready.pop_back();
  shard.count.store(shard.ready.size(), std::memory_order_relaxed);
  return taken;
}

bool InstanceStock::put(LiveInstance live) {
  if (!slots_.has_spare()) return false;
  Shard& shard = mine();
  const std::lock_guard lock(shard.mutex);
  // Under the mutex: what is not closed now, close() will find.
  if (closed_.load() || shard.ready.size() >= target_) return false;
  shard.ready.push_back(std::move(live));
  shard.count.store(shard.ready.size(), std::memory_order_relaxed);
  return true;
}

void InstanceStock::put_spent(LiveInstance live) {
  if (!slots_.has_spare()) return;
  Shard& shard = mine();
  const std::lock_guard lock(shard.mutex);
  if (!closed_.load() && shard.spent.size() < target_) shard.spent.push_back(std::move(live));
}

void InstanceStock::end_spent() {
  Shard& shard = mine();
  std::vector<LiveInstance> ended;  // ends after the lock
  const std::lock_guard lock(shard.mutex);
  ended.swap(shard.spent);
}

bool InstanceStock::is_low() {
  Shard& shard = mine();
  if (2 * shard.count.load(std::memory_order_relaxed) > target_) return false;
  if (target_ == 0 || closed_.load(std::memory_order_relaxed) || !slots_.has_spare()) return false;
  return !shard.filling.exchange(true, std::memory_order_relaxed);
}

bool InstanceStock::has_room() {
  return !closed_.load(std::memory_order_relaxed) && slots_.has_spare() &&
         mine().count.load(std::memory_order_relaxed) < target_;
}

void InstanceStock::close() {
  closed_.store(true);
  for (Shard& shard : shards_) {
    std::vector<LiveInstance> ready;  // these end after the lock
    std::vector<LiveInstance> spent;
    const std::lock_guard lock(shard.mutex);
    ready.swap(shard.ready);
    spent.swap(shard.spent);
    shard.count.store(0, std::memory_order_relaxed);
  }
}

}  // namespace helios::plugins
