// SPDX-License-Identifier: Apache-2.0
//
// What a session has decided cannot be carried out, for an exception in the event loop at any place: that
// session ends, with everything that it holds. Nothing of it is left behind.

#include "net/cancel_sender.hpp"
#include "net/client_driver.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "unit/net/faulty_engine.hpp"
#include "unit/net/proxy_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace helios::net {
namespace {

struct NoSink final : CancelSink {
  void cancel(SessionId, base::Task done) override { done(); }
};

// One session, whose peers are played by the test.
class Drive {
 public:
  explicit Drive(FaultPlan plan) : plan_(plan) {
    config_ = std::make_shared<const config::Config>(config::default_config());
    environment_.home = &engine_.tasks;
    environment_.slow = &engine_.tasks;
    environment_.clock = &clock_;
    environment_.log = &log_;
    environment_.analyzer = &analyzer_;
    environment_.counters = &counters_;
    environment_.config = config_;
    environment_.chain =
        std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
    config::Server server;
    server.host = "127.0.0.1";
    target_ = std::make_shared<const ServerTarget>(server_target(server));
  }

  void play() {
    driver_.emplace(context_, 1, Fd(),
                    session::Peer{.ip = "10.1.2.3", .os_user = {}, .session_id = "session-1"});
    receive(0, startup_packet());
    connect();
    receive(1, message('R', int32(0)) + message('K', int32(7) + "key!") + message('Z', "I"));
    receive(0, query("SELECT 1"));
    if (!has_retired_) {
      driver_->cancel([] {});
    }
    const std::size_t thrown_before = thrown();
    connect();  // of the cancel request, which is not the session's
    is_elsewhere_ = thrown() > thrown_before;
    receive(1, message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I"));
    receive(0, message('X', ""));
    if (auto* handler = handler_of(1)) {
      handler->on_eof();
    }
  }

  // What is wrong with how it ended; nothing.
  std::string complaint() {
    if (driver_ && !has_retired_) {
      return "does not end";
    }
    driver_.reset();
    for (const auto& stream : engine_.streams) {
      if (stream->handler != nullptr && stream != engine_.streams.back()) {
        return "holds a connection";
      }
    }
    cancel_sender_.reset();
    if (!engine_.timers.empty()) {
      return "leaves a timer";
    }
    return registry_.size() == 0 ? "" : "leaves its key";
  }

  [[nodiscard]] std::size_t thrown() const { return plan_.thrown(); }
  [[nodiscard]] std::uint64_t faults() const { return counters_.session_faults; }
  // A session was hit.
  [[nodiscard]] bool is_hit() const { return driver_.has_value() && !is_elsewhere_; }
  [[nodiscard]] std::string to_client() const { return engine_.streams.at(0)->sent; }

 private:
  StreamHandler* handler_of(std::size_t stream) {
    return stream < engine_.streams.size() ? engine_.streams[stream]->handler : nullptr;
  }
  void receive(std::size_t stream, const std::string& bytes) {
    if (auto* handler = handler_of(stream)) {
      handler->on_received(bytes);
    }
  }
  void connect() {
    if (!engine_.dials.empty() && engine_.dials.back()->handler != nullptr) {
      std::exchange(engine_.dials.back()->handler, nullptr)->on_connected(Fd());
    }
  }

  FaultPlan plan_;
  FaultyEngine engine_{plan_};
  test::FakeClock clock_;
  test::CaptureLog log_;
  sql::Analyzer analyzer_{sql::Analyzer::Options{}};
  session::Counters counters_;
  std::shared_ptr<const config::Config> config_;
  session::Environment environment_;
  SharedTarget target_;
  CancelRegistry registry_;
  NoSink sink_;
  tls::Work tls_work_;
  std::optional<CancelSender> cancel_sender_{std::in_place, engine_, tls_work_};
  WorkerStats stats_;
  bool has_retired_ = false;
  bool is_elsewhere_ = false;
  DriverContext context_{
      engine_,          environment_,    target_,
      registry_,        sink_,           *cancel_sender_,
      tls_work_,        stats_,          [this](SessionId) { has_retired_ = true; },
      [](SessionId) {}, [](SessionId) {}};
  std::optional<ClientDriver> driver_;
};

// With an exception of each call in turn; returns how many there are.
std::size_t fault_everywhere(std::size_t failures) {
  for (std::size_t allowed = 0;; ++allowed) {
    Drive drive(FaultPlan(allowed, failures));
    try {
      drive.play();
    } catch (const std::runtime_error&) {
      EXPECT_FALSE(drive.is_hit()) << "call " << allowed;  // it could not be made
    }
    const bool is_hit = drive.is_hit();
    if (drive.thrown() == 0) {
      return allowed;
    }
    EXPECT_EQ(drive.complaint(), "") << "call " << allowed;
    EXPECT_LE(drive.faults(), 1U) << "call " << allowed;
    EXPECT_TRUE(drive.faults() == 1 || !is_hit) << "call " << allowed;
  }
}

TEST(ClientDriver, exception_of_the_event_loop_ends_the_session) {
  EXPECT_GT(fault_everywhere(1), 10U);
}

TEST(ClientDriver, exceptions_of_the_event_loop_while_it_ends_too) {
  EXPECT_GT(fault_everywhere(2), 10U);
  EXPECT_GT(fault_everywhere(1000), 10U);
}

TEST(ClientDriver, client_is_told_where_nothing_is_missing) {
  Drive drive(FaultPlan(6, 1));
  drive.play();
  EXPECT_THAT(drive.to_client(), testing::HasSubstr("internal error of the proxy"));
}

}  // namespace
}  // namespace helios::net
