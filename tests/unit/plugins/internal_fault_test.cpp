// SPDX-License-Identifier: Apache-2.0

// An exception of ours in the middle of a call, below guest code or beside it, on the event loop and on the slow lane:
// the call ends as a failure, whoever waits is answered, and the next call works.

#include "plugin_fixture.hpp"
#include "support/fault_log.hpp"
#include "support/throwing_store.hpp"

#include <string>
#include <vector>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Call = test::ThrowingStore::Call;
using Status = hooks::CallResult::Status;

// How long a call may stay on the event loop, in ticks: with 0 it goes on the slow lane.
class InternalFaultTest : public PluginTest, public testing::WithParamInterface<std::uint32_t> {
 protected:
  InternalFaultTest() {
    plugin_store_ = &throwing;
    inline_ticks_ = GetParam();
    faults_ = &faults;
  }

  test::ThrowingStore throwing{store_};
  test::FaultLog faults;
};

TEST_P(InternalFaultTest, call_fails_and_the_next_one_works) {
  add_guest("counter");
  const auto chain = load_ok();
  int counted = 0;
  for (const Call call : {Call::read, Call::admit, Call::commit}) {
    throwing.plant(call);
    const auto result = run_hook(chain, "counter", HookPoint::pre_query);
    EXPECT_EQ(result.status, Status::failed);
    EXPECT_EQ(result.failure, "a fault inside the proxy, see its log");
    ++counted;
    EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
    EXPECT_EQ(value("counter", "count:acme"), std::to_string(counted));
  }
  EXPECT_EQ(faults.lines(), std::vector<std::string>(3, "plugin: planted"));
  EXPECT_EQ(info("counter").failures, 3U);
  EXPECT_EQ(info("counter").backing_off_callers, 0U);
  EXPECT_EQ(info("counter").overruns != 0 || info("counter").is_slow, GetParam() == 0);
}

TEST_P(InternalFaultTest, plugin_that_reads_while_it_starts_does_not_load_that_time) {
  add_guest("stores_at_start");
  throwing.plant(Call::admit);
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("a fault inside the proxy: planted"), std::string::npos)
      << chain.error().message;
  load_ok();
}

INSTANTIATE_TEST_SUITE_P(/* no prefix */, InternalFaultTest, testing::Values(0U, 60'000U / kTickMs),
                         [](const auto& lane) {
                           return lane.param == 0 ? "slow_lane" : "event_loop";
                         });

}  // namespace
}  // namespace helios::plugins
