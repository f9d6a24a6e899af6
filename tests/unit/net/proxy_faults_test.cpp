// SPDX-License-Identifier: Apache-2.0
//
// An exception in what a worker does for one client ends that client's session alone, and leaves nothing behind.

#include "support/fault_log.hpp"
#include "unit/net/proxy_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace helios::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Throws as often as it is told.
class BadClock final : public base::Clock {
 public:
  explicit BadClock(const base::Clock& inner) : inner_(inner) {}
  [[nodiscard]] std::int64_t monotonic_ns() const override {
    if (failures.load() > 0) {
      --failures;
      throw std::runtime_error("planted");
    }
    return inner_.monotonic_ns();
  }
  [[nodiscard]] std::int64_t wall_ms() const override { return inner_.wall_ms(); }

  mutable std::atomic<int> failures = 0;

 private:
  const base::Clock& inner_;
};

class ProxyFaults : public ProxyFixture {
 protected:
  ProxyFaults() {
    session_clock_ = &bad_clock_;
    faults_ = &fault_log_;
    worker_count_ = 1;
  }
  // The workers end before what they are told the time by.
  ~ProxyFaults() override {
    drain(true);
    wait_drained();
  }
  // What it says goes both ways.
  static void expect_served(const Session& session) {
    send_all(session.client.get(), query("SELECT 1"));
    EXPECT_EQ(receive_message(session.server.get()), query("SELECT 1"));
    const auto answer = message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I");
    send_all(session.server.get(), answer);
    EXPECT_EQ(receive_exactly(session.client.get(), answer.size()), answer);
  }

  BadClock bad_clock_{clock_};
  test::FaultLog fault_log_;
};

TEST_P(ProxyFaults, session_that_cannot_be_made_gives_its_place_back) {
  limits_.max_connections = 1;
  start_proxy();
  bad_clock_.failures = 1;
  const auto client = connect_client();
  EXPECT_TRUE(is_at_end(client.get()));
  expect_served(open_session(1));
  EXPECT_THAT(fault_log_.lines(), ElementsAre("mailbox: planted"));
}

TEST_P(ProxyFaults, session_that_throws_ends_and_its_neighbour_goes_on) {
  auto config = config::default_config();
  config.limits.query_timeout_ms = 60'000;
  start_proxy(config);
  const auto neighbour = open_session(1);
  const auto session = open_session(2);
  bad_clock_.failures = 1;
  send_all(session.client.get(), query("SELECT 1"));
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("internal error of the proxy"));
  EXPECT_TRUE(is_at_end(session.client.get()));
  expect_served(neighbour);
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::session_faults) == 1; }));
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
  EXPECT_EQ(log_.count("internal fault (session, client bytes, ready): planted"), 1U);
}

INSTANTIATE_TEST_SUITE_P(/* no prefix */, ProxyFaults, testing::ValuesIn(sized_engines_for_test()),
                         [](const auto& instance) { return name_of(instance.param); });

}  // namespace
}  // namespace helios::net
