// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drivers on the simulated engine, and a conversation for them.

#include "net/cancel_sender.hpp"
#include "net/client_driver.hpp"
#include "support/capture_log.hpp"
#include "unit/net/proxy_fixture.hpp"
#include "unit/net/simulated_engine.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helios::net {

struct NoSink final : CancelSink {
  void cancel(SessionId, base::Task done) override { done(); }
};

inline const std::string kGreeting =
    message('R', int32(0)) + message('K', int32(7) + "key!") + message('Z', "I");

// What one side says when the other one has said what stands in front of it.
struct Part {
  bool is_client = false;
  std::string bytes;
};

inline const std::vector<Part> kConversation{
    {false, kGreeting},
    {true, query("SELECT 1")},
    {false, message('D', std::string(3000, 'x')) + message('C', std::string_view("SELECT 1\0", 9)) +
                message('Z', "I")},
    {true, query("COPY t FROM STDIN")},
    {false, message('G', std::string_view("\0\0\0", 3))},
    {true, message('d', "1\n") + message('d', std::string(2000, 'y')) + message('c', "")},
    {false, message('C', std::string_view("COPY 2\0", 7)) + message('Z', "I")},
    {true, message('X', "")},
};

inline std::string said_by(bool is_client) {
  std::string all = is_client ? startup_packet() : "";
  for (const Part& part : kConversation) {
    if (part.is_client == is_client) all += part.bytes;
  }
  return all;
}

// What drivers work with.
class DriverWorld {
 public:
  // `is_watching`: plugins may be loaded, so that texts are read whole before a byte of them goes on.
  explicit DriverWorld(bool is_watching = false) {
    auto config = config::default_config();
    config.limits.login_timeout_ms = 5000;
    if (is_watching) config.plugins.directory = "/somewhere";
    environment_.home = &engine.mailbox();
    environment_.slow = &engine.mailbox();
    environment_.clock = &clock;
    environment_.log = &log_;
    environment_.analyzer = &analyzer_;
    environment_.counters = &counters_;
    environment_.config = std::make_shared<const config::Config>(config);
    environment_.chain =
        std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
    config::Server server;
    server.host = "127.0.0.1";
    target_ = std::make_shared<const ServerTarget>(server_target(server));
  }

  // What sessions go by from now on.
  template <typename Change>
  void change_config(Change change) {
    auto config = *environment_.config;
    change(config);
    environment_.config = std::make_shared<const config::Config>(std::move(config));
  }
  void set_login_rules(auth::SharedLoginRules rules) {
    environment_.login_rules = std::move(rules);
  }
  // All lines of the log.
  [[nodiscard]] std::string logged() const {
    std::string all;
    for (const auto& line : log_.lines()) all += line.text + "\n";
    return all;
  }
  [[nodiscard]] bool has_retired() const { return has_retired_; }
  [[nodiscard]] std::size_t known_keys() const { return registry_.size(); }

  test::FakeClock clock;
  SimulatedEngine engine{clock};

 private:
  test::CaptureLog log_;
  sql::Analyzer analyzer_{sql::Analyzer::Options{}};
  session::Counters counters_;
  session::Environment environment_;
  SharedTarget target_;
  CancelRegistry registry_;
  NoSink sink_;
  tls::Work tls_work_;
  CancelSender cancel_sender_{engine, tls_work_};
  WorkerStats stats_;
  bool has_retired_ = false;

 public:
  DriverContext context{engine,
                        environment_,
                        target_,
                        registry_,
                        sink_,
                        cancel_sender_,
                        tls_work_,
                        stats_,
                        [this](SessionId) { has_retired_ = true; },
                        [](SessionId) {},
                        [this](SessionId) { ++caps_cancelled; }};
  int caps_cancelled = 0;
};

// One client and its session.
class Driven : public DriverWorld {
 public:
  explicit Driven(bool is_watching = false) : DriverWorld(is_watching) {
    driver.emplace(context, 1, Fd(),
                   session::Peer{.ip = "10.1.2.3", .os_user = {}, .session_id = "session-1"});
  }

  SimulatedStream& client() { return *engine.streams.at(0); }
  SimulatedStream& server() { return *engine.streams.at(1); }
  [[nodiscard]] bool has_server() const { return engine.streams.size() > 1; }

  void dial() {
    client().says(startup_packet());
    engine.settle();
    engine.connect_dialled();
    engine.settle();
  }
  void say(const Part& part) {
    (part.is_client ? client() : server()).says(part.bytes);
    engine.settle();
  }
  // The session is over: nothing of it is left. Empty, or what is.
  std::string complaint() {
    engine.settle();
    if (!has_retired()) return "it is not over";
    driver.reset();
    engine.settle();
    if (!client().is_closed()) return "the client is still connected";
    if (has_server() && !server().is_closed()) return "the server is still connected";
    if (engine.timers() != 0) return "a timer runs";
    return known_keys() == 0 ? "" : "the key is still known";
  }

  std::optional<ClientDriver> driver;
};

}  // namespace helios::net
