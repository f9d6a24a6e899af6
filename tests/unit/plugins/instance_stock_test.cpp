// SPDX-License-Identifier: Apache-2.0

// Instances that are ready before a call needs them: how many there may be, and who gets the slots.

#include "plugins/supply/instance_stock.hpp"

#include "plugin_fixture.hpp"

namespace helios::plugins {
namespace {

class NoInstance final : public WasmInstance {
 public:
  GuestMemory memory() override { return {}; }
  void arm(HostCalls&, std::uint32_t) override {}
  std::expected<std::uint64_t, Fault> call(GuestFunction,
                                           std::initializer_list<std::uint64_t>) override {
    return 0;
  }
};

class InstanceStockTest : public ::testing::Test {
 protected:
  LiveInstance make() {
    return {.slot = slots_.try_take(), .instance = std::make_unique<NoInstance>()};
  }

  InstanceSlots slots_{8};
  InstanceStock stock_{slots_, 2};
};

TEST_F(InstanceStockTest, take_gives_what_was_put_and_then_nothing) {
  EXPECT_TRUE(stock_.put(make()));
  const LiveInstance taken = stock_.take();
  EXPECT_TRUE(taken.slot && taken.instance);
  const LiveInstance none = stock_.take();
  EXPECT_FALSE(none.slot || none.instance);
}

TEST_F(InstanceStockTest, no_more_than_the_target_is_kept) {
  EXPECT_TRUE(stock_.put(make()));
  EXPECT_TRUE(stock_.has_room());
  EXPECT_TRUE(stock_.put(make()));
  EXPECT_FALSE(stock_.has_room());
  EXPECT_FALSE(stock_.put(make()));
}

TEST_F(InstanceStockTest, half_of_the_slots_stay_for_calls) {
  std::vector<InstanceSlots::Lease> busy;
  for (int i = 0; i < 3; ++i) busy.push_back(slots_.try_take());
  EXPECT_FALSE(stock_.put(make()));  // the fourth of eight
  busy.pop_back();
  EXPECT_TRUE(stock_.put(make()));
}

TEST_F(InstanceStockTest, one_caller_at_a_time_is_told_that_it_is_low) {
  EXPECT_TRUE(stock_.is_low());
  EXPECT_FALSE(stock_.is_low());
  stock_.done_filling();
  EXPECT_TRUE(stock_.is_low());
}

TEST_F(InstanceStockTest, closing_gives_back_every_slot) {
  stock_.put(make());
  stock_.put_spent(make());
  stock_.close();
  EXPECT_FALSE(stock_.put(make()));
  EXPECT_FALSE(stock_.is_low());
  std::vector<InstanceSlots::Lease> all;
  for (int i = 0; i < 8; ++i) all.push_back(slots_.try_take());
  EXPECT_TRUE(all.back());
  EXPECT_FALSE(slots_.try_take());
}

// A worker that runs what a call left to do finds the next call's instance made.
TEST_F(PatientPluginTest, calls_on_instances_made_ready_count_like_others) {
  add_guest("counter");
  const auto chain = load_ok();
  WaitingExecutor home;
  for (int i = 0; i < 30; ++i) {
    Statement statement(chain, "acme");
    TestCall call(plugin(chain, "counter"), statement, hooks::HookPoint::pre_query, home);
    EXPECT_TRUE(call.start());
    if (home.wait_for_task(std::chrono::milliseconds(0))) home.run_one();
  }
  EXPECT_EQ(value("counter", "count:acme"), "30");
}

}  // namespace
}  // namespace helios::plugins
