// SPDX-License-Identifier: Apache-2.0

// The stores that are run through the contract.

#include "kv/memory_store.hpp"
#include "store_contract.hpp"
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

template <typename UnderTest>
StoreFactory factory(std::string name) {
  return {.name = std::move(name), .make = [](const kv::Limits& limits, const base::Clock& clock) {
            return std::make_unique<UnderTest>(limits, clock);
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(factory<MemoryStoreUnderTest>("memory"),
                                         factory<PendingStoreUnderTest>("pending")),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace helios::test
