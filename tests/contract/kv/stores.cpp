// SPDX-License-Identifier: Apache-2.0

// The stores that are run through the contract.

#include "kv/memory_store.hpp"
#include "store_contract.hpp"
#include "support/disk_store.hpp"
#include "support/pending_store.hpp"
#include "support/thread_executor.hpp"

namespace helios::test {
namespace {

class MemoryStoreUnderTest final : public StoreUnderTest {
 public:
  MemoryStoreUnderTest(const kv::Limits& limits, const base::Clock& clock)
      : store_(limits, clock) {}
  kv::Store& store() override { return store_; }
  void settle() override {}

 private:
  kv::MemoryStore store_;
};

class PendingStoreUnderTest final : public StoreUnderTest {
 public:
  PendingStoreUnderTest(const kv::Limits& limits, const base::Clock& clock)
      : store_(limits, clock, executor_) {}
  kv::Store& store() override { return store_; }
  void settle() override { executor_.wait_until_idle(); }

 private:
  ThreadExecutor executor_;
  PendingStore store_;
};

// A commit waits for the disk where the class says so; with `relaxed`, settle() waits all the same.
template <kv::Durability durability>
class DiskStoreUnderTest final : public StoreUnderTest {
 public:
  DiskStoreUnderTest(const kv::Limits& limits, const base::Clock& clock)
      : disk_(limits, clock, durability) {
    disk_.open();
  }
  kv::Store& store() override { return disk_.store(); }
  void settle() override {
    disk_.wait_until(durability == kv::Durability::strict ? kv::Safety::on_disk
                                                          : kv::Safety::handed_over);
  }

 private:
  DiskStore disk_;
};

template <typename UnderTest>
StoreFactory factory(std::string name, bool is_slow = false) {
  return {
      .name = std::move(name),
      .make = [](const kv::Limits& limits,
                 const base::Clock& clock) { return std::make_unique<UnderTest>(limits, clock); },
      .is_slow = is_slow};
}

using Relaxed = DiskStoreUnderTest<kv::Durability::relaxed>;
using Strict = DiskStoreUnderTest<kv::Durability::strict>;

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(factory<MemoryStoreUnderTest>("memory"),
                                         factory<PendingStoreUnderTest>("pending"),
                                         factory<Relaxed>("relaxed", true),
                                         factory<Strict>("strict", true)),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace helios::test
