// SPDX-License-Identifier: Apache-2.0
//
// Accepting, connecting and timers, over real loopback sockets, on every engine.

#include "net/engine/engine.hpp"

#include "support/fault_log.hpp"
#include "unit/net/net_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <sys/resource.h>

namespace helios::net {
namespace {

class RecordingAcceptor : public AcceptHandler {
 public:
  void on_accepted(Fd connection, const Endpoint& peer) override {
    accepted.push_back(std::move(connection));
    peers.push_back(peer.ip());
    if (on_next) {
      on_next();
    }
  }
  void on_accept_paused(int error) override { errors.push_back(error); }

  std::vector<Fd> accepted;
  std::vector<std::string> peers;
  std::vector<int> errors;
  std::function<void()> on_next;
};

class RecordingConnector : public ConnectHandler {
 public:
  void on_connected(Fd connection) override { connected = std::move(connection); }
  void on_connect_failed(int error) override { errors.push_back(error); }
  [[nodiscard]] bool decided() const { return connected || !errors.empty(); }

  Fd connected;
  std::vector<int> errors;
};

using EngineTest = OnEveryEngine;
HELIOS_ON_ALL_ENGINES(EngineTest);

TEST_P(EngineTest, what_timers_tasks_and_handlers_throw_is_reported_and_the_loop_goes_on) {
  test::FaultLog faults;
  const auto engine = make_engine();
  engine->report_faults_to(faults);
  int ran = 0;
  engine->start_timer(0, [] { throw std::runtime_error("of a timer"); });
  engine->start_timer(0, [&] { ++ran; });
  engine->mailbox().post([] { throw std::runtime_error("of a task"); });
  engine->mailbox().post([&] { ++ran; });
  EXPECT_TRUE(run_until(*engine, [&] { return ran == 2; }));

  auto listening = listen_on_loopback();
  const auto at = local_endpoint(listening.get());
  RecordingAcceptor handler;
  handler.on_next = [&] {
    if (handler.accepted.size() == 1) {
      throw std::runtime_error("of a handler");
    }
  };
  const auto operation = engine->accept(std::move(listening), handler);
  const auto first = connect_blocking(at);
  EXPECT_TRUE(run_until(*engine, [&] { return faults.lines().size() == 3; }));
  const auto second = connect_blocking(at);
  EXPECT_TRUE(run_until(*engine, [&] { return handler.accepted.size() == 2; }));
  auto lines = faults.lines();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (std::vector<std::string>{"mailbox: of a task", "network: of a handler",
                                             "timer: of a timer"}));
}

TEST_P(EngineTest, waiting_connections_are_all_accepted) {
  const auto engine = make_engine();
  auto listening = listen_on_loopback();
  const auto at = local_endpoint(listening.get());
  RecordingAcceptor handler;
  const auto operation = engine->accept(std::move(listening), handler);
  std::vector<Fd> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect_blocking(at));
  }
  EXPECT_TRUE(run_until(*engine, [&] { return handler.accepted.size() == 100; }));
  EXPECT_EQ(handler.peers.front(), "127.0.0.1");
}

TEST_P(EngineTest, accepting_may_be_ended_by_its_own_handler) {
  const auto engine = make_engine();
  auto listening = listen_on_loopback();
  const auto at = local_endpoint(listening.get());
  RecordingAcceptor handler;
  auto operation = engine->accept(std::move(listening), handler);
  handler.on_next = [&] { operation.reset(); };
  const auto first = connect_blocking(at);
  const auto second = connect_blocking(at);
  EXPECT_TRUE(run_until(*engine, [&] { return !handler.accepted.empty(); }));
  run_until_idle(*engine);
  EXPECT_EQ(handler.accepted.size(), 1U);
}

TEST_P(EngineTest, accepting_rests_when_descriptors_run_out_and_goes_on_later) {
  const auto engine = make_engine();
  auto listening = listen_on_loopback();
  const auto at = local_endpoint(listening.get());
  const auto client = connect_blocking(at);
  RecordingAcceptor handler;
  const auto operation = engine->accept(std::move(listening), handler);

  rlimit saved{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &saved), 0);
  const rlimit none{1, saved.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  engine->run_once(0);
  run_until_idle(*engine);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &saved), 0);

  // One failure, and no further attempt while it rests.
  EXPECT_EQ(handler.errors, std::vector<int>{EMFILE});
  EXPECT_TRUE(handler.accepted.empty());
  EXPECT_TRUE(run_until(*engine, [&] { return handler.accepted.size() == 1; }));
}

TEST_P(EngineTest, connecting_delivers_a_socket) {
  const auto engine = make_engine();
  const auto listening = listen_on_loopback();
  RecordingConnector handler;
  const auto operation = engine->connect(local_endpoint(listening.get()), handler);
  EXPECT_FALSE(handler.decided());
  ASSERT_TRUE(run_until(*engine, [&] { return handler.decided(); }));
  ASSERT_TRUE(handler.connected);
  RecordingHandler stream_handler;
  const auto stream =
      engine->adopt(std::move(handler.connected), stream_handler, LossReport::at_once);
  const Fd far(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  send_all(far.get(), "hello");
  EXPECT_TRUE(run_until(*engine, [&] { return stream_handler.received == "hello"; }));
}

TEST_P(EngineTest, connecting_to_nobody_fails_at_once) {
  const auto engine = make_engine();
  auto listening = listen_on_loopback();
  const auto at = local_endpoint(listening.get());
  listening.reset();
  RecordingConnector handler;
  const auto operation = engine->connect(at, handler);
  EXPECT_FALSE(handler.decided());
  ASSERT_TRUE(run_until(*engine, [&] { return handler.decided(); }));
  EXPECT_EQ(handler.errors, std::vector<int>{ECONNREFUSED});
}

TEST_P(EngineTest, connecting_to_a_missing_unix_socket_fails_at_once) {
  const auto engine = make_engine();
  config::Server server;
  server.host = "/nonexistent";
  RecordingConnector handler;
  const auto operation = engine->connect(server_endpoints(server).front(), handler);
  EXPECT_FALSE(handler.decided());
  ASSERT_TRUE(run_until(*engine, [&] { return handler.decided(); }));
  EXPECT_EQ(handler.errors, std::vector<int>{ENOENT});
}

TEST_P(EngineTest, released_connect_reports_nothing) {
  const auto engine = make_engine();
  const auto listening = listen_on_loopback();
  RecordingConnector handler;
  auto operation = engine->connect(local_endpoint(listening.get()), handler);
  operation.reset();
  run_until_idle(*engine);
  EXPECT_FALSE(handler.decided());
}

TEST_P(EngineTest, timers_run_when_due_and_not_when_cancelled) {
  const auto engine = make_engine();
  std::string ran;
  engine->start_timer(20, [&] { ran += 'b'; });
  engine->start_timer(1, [&] { ran += 'a'; });
  engine->cancel_timer(engine->start_timer(5, [&] { ran += 'x'; }));
  engine->run_once(0);
  EXPECT_EQ(ran, "");
  EXPECT_TRUE(run_until(*engine, [&] { return ran.size() == 2; }));
  EXPECT_EQ(ran, "ab");
}

TEST(Endpoints, unix_sockets_have_no_ip) {
  config::Server server;
  server.host = "/tmp/x";
  server.port = 5433;
  const auto endpoints = server_endpoints(server);
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].text(), "/tmp/x/.s.PGSQL.5433");
  EXPECT_EQ(endpoints[0].ip(), "");
}

TEST(Endpoints, localhost_is_tried_as_ipv6_first) {
  config::Server server;
  server.host = "localhost";
  const auto endpoints = server_endpoints(server);
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].text(), "[::1]:5432");
  EXPECT_EQ(endpoints[1].text(), "127.0.0.1:5432");
}

}  // namespace
}  // namespace helios::net
