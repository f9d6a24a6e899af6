// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole proxy, workers and all, on simulated engines: on the test's thread, without sockets, in virtual time, and the
// same each time. Clients and servers are played by the test.

#include "net/proxy.hpp"
#include "support/capture_log.hpp"
#include "support/fault_log.hpp"
#include "unit/net/proxy_fixture.hpp"
#include "unit/net/simulated_engine.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace helios::net {

class SimulatedProxy {
 public:
  // A client, and its server once that is connected. They live as long as the proxy.
  struct Session {
    SimulatedEngine* worker = nullptr;
    SimulatedStream* client = nullptr;
    SimulatedStream* server = nullptr;
  };

  explicit SimulatedProxy(std::size_t worker_count = 2,
                          config::Config config = config::default_config())
      : config_(std::move(config)) {
    config_.server.host = "127.0.0.1";
    config_.server.port = 5432;
    limits_.set_limits(config_.limits);
    auto created =
        Proxy::create(make_workers(worker_count), server_target(config_.server), control, log);
    EXPECT_TRUE(created);
    proxy = *std::move(created);
    // Nobody connects to it: a place to listen on is what the proxy asks for.
    config::Listen listen;
    listen.addresses = {{"127.0.0.1", 0}};
    EXPECT_TRUE(proxy->listen(listen));
    proxy->start([this] { ++drained; });
  }
  ~SimulatedProxy() {
    proxy->drain(true);
    settle();
  }
  SimulatedProxy(const SimulatedProxy&) = delete;
  SimulatedProxy& operator=(const SimulatedProxy&) = delete;

  // Until nothing happens any more without the test.
  void settle() {
    bool is_busy = true;
    while (is_busy) {
      is_busy = false;
      control.run_once(0);
      for (std::size_t i = 0; i < engines.size(); ++i) {
        is_busy |= proxy->workers()[i]->run_round(0) && engines[i]->is_busy();
      }
      is_busy |= control.is_busy();
    }
  }
  void pass_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    bool has_run = true;
    while (has_run) {
      has_run = control.run_due_timer();
      for (auto* engine : engines) has_run |= engine->run_due_timer();
      settle();
    }
  }
  void cut_into(std::size_t bytes) {
    for (auto* engine : engines) engine->cut = bytes;
  }

  // A client that has said nothing yet. Clients are dealt to the workers in turn.
  Session connect_client() {
    auto* worker = engines[next_worker_++ % engines.size()];
    const auto before = worker->streams.size();
    control.accept_from(*tcp_endpoint({"10.1.2.3", 40000}));
    settle();
    EXPECT_EQ(worker->streams.size(), before + 1);
    return {worker, worker->streams.back().get(), nullptr};
  }
  // What it asks for a server, and what becomes of that.
  void connect_server(Session& session) {
    EXPECT_TRUE(session.worker->is_dialling());
    session.worker->connect_dialled();
    session.server = session.worker->streams.back().get();
    settle();
  }
  // Ready for queries. The server's key is (number, "key!").
  Session open_session(std::int32_t process_id) {
    auto session = connect_client();
    say(*session.client, startup_packet());
    connect_server(session);
    EXPECT_EQ(session.server->got(), startup_packet());
    say(*session.server, greeting(process_id));
    EXPECT_EQ(session.client->got(), greeting(process_id));
    return session;
  }
  void say(SimulatedStream& who, std::string_view bytes) {
    who.says(bytes);
    settle();
  }
  static std::string greeting(std::int32_t process_id) {
    return message('R', int32(0)) + message('K', int32(process_id) + "key!") + message('Z', "I");
  }

  // New sessions, and statements, go by it.
  void reload(const std::function<void(config::Config&)>& change) {
    change(config_);
    limits_.set_limits(config_.limits);
    proxy->replace_snapshot({std::make_shared<const config::Config>(config_), chain_}, {},
                            [this] { ++reloads; });
    settle();
  }

  std::uint64_t total(metrics::Counter WorkerStats::* counter) const {
    std::uint64_t sum = 0;
    for (const auto& worker : proxy->workers()) sum += (worker->stats().*counter).value();
    return sum;
  }
  // Those that are there now.
  std::uint64_t sessions() const {
    return total(&WorkerStats::sessions_opened) - total(&WorkerStats::sessions_closed);
  }

  test::FakeClock clock;
  test::CaptureLog log;
  test::FaultLog faults;
  SimulatedEngine control{clock};
  std::vector<SimulatedEngine*> engines;  // of the workers, who have them
  std::unique_ptr<Proxy> proxy;
  int drained = 0;
  int reloads = 0;

 private:
  std::vector<WorkerOptions> make_workers(std::size_t count) {
    const auto config = std::make_shared<const config::Config>(config_);
    std::vector<WorkerOptions> workers;
    for (std::size_t i = 0; i < count; ++i) {
      analyzers_.push_back(std::make_unique<sql::Analyzer>(sql::Analyzer::Options{}));
      auto engine = std::make_unique<SimulatedEngine>(clock);
      engines.push_back(engine.get());
      WorkerOptions worker;
      worker.name = "worker";
      worker.loop = std::move(engine);
      worker.connection_limits = &limits_;
      worker.faults = &faults;
      worker.environment.slow = &control.mailbox();
      worker.environment.clock = &clock;
      worker.environment.log = &log;
      worker.environment.analyzer = analyzers_.back().get();
      worker.environment.config = config;
      worker.environment.chain = chain_;
      worker.environment.next_statement_id = 1 + i;
      worker.environment.statement_id_step = count;
      workers.push_back(std::move(worker));
    }
    return workers;
  }

  config::Config config_;
  ConnectionLimits limits_{config::Limits{}};
  std::shared_ptr<const hooks::Chain> chain_ =
      std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
  std::vector<std::unique_ptr<sql::Analyzer>> analyzers_;
  std::size_t next_worker_ = 0;
};

}  // namespace helios::net
