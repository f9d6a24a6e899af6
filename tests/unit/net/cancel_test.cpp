// SPDX-License-Identifier: Apache-2.0
//
// CancelRequests: by key to the session that has it, on whichever worker, and on to the server.

#include "net/cancel_registry.hpp"
#include "net/cancel_sender.hpp"
#include "unit/net/proxy_fixture.hpp"

#include <gtest/gtest.h>

namespace helios::net {
namespace {

class RecordingSink : public CancelSink {
 public:
  void cancel(SessionId session, base::Task done) override {
    cancelled.push_back(session);
    done();
  }
  std::vector<SessionId> cancelled;
};

TEST(CancelRegistry, known_key_reaches_its_owner) {
  CancelRegistry registry;
  RecordingSink one;
  RecordingSink two;
  registry.add({1, "secret"}, one, 10);
  registry.add({2, "secret"}, two, 20);
  bool done = false;
  EXPECT_TRUE(registry.deliver({2, "secret"}, [&] { done = true; }));
  EXPECT_TRUE(done);
  EXPECT_TRUE(one.cancelled.empty());
  EXPECT_EQ(two.cancelled, std::vector<SessionId>{20});
}

TEST(CancelRegistry, unknown_and_almost_right_keys_are_ignored) {
  CancelRegistry registry;
  RecordingSink sink;
  registry.add({1, "secret"}, sink, 10);
  EXPECT_FALSE(registry.deliver({1, "secre"}, [] {}));
  EXPECT_FALSE(registry.deliver({2, "secret"}, [] {}));
  registry.remove({1, "secret"}, sink, 10);
  EXPECT_FALSE(registry.deliver({1, "secret"}, [] {}));
  EXPECT_TRUE(sink.cancelled.empty());
  EXPECT_EQ(registry.size(), 0U);
}

TEST(CancelRegistry, key_that_was_taken_over_stays_with_its_new_owner) {
  CancelRegistry registry;
  RecordingSink sink;
  registry.add({1, "secret"}, sink, 10);
  registry.add({1, "secret"}, sink, 11);
  registry.remove({1, "secret"}, sink, 10);
  EXPECT_TRUE(registry.deliver({1, "secret"}, [] {}));
  EXPECT_EQ(sink.cancelled, std::vector<SessionId>{11});
}

ServerAddress address_of(const Fd& server) {
  return {.target = std::make_shared<const ServerTarget>(),
          .endpoint = std::make_shared<const Endpoint>(local_endpoint(server.get()))};
}

using CancelSenderTest = OnEveryEngine;
HELIOS_ON_ALL_ENGINES(CancelSenderTest);

TEST_P(CancelSenderTest, request_arrives_and_done_waits_for_the_servers_end) {
  const auto engine = make_engine();
  const auto server = listen_on_loopback();
  tls::Work work;
  CancelSender sender(*engine, work);
  bool done = false;
  EXPECT_TRUE(sender.send(address_of(server), {7, "key!"}, [&] { done = true; }));
  Fd connection;
  EXPECT_TRUE(run_until(*engine, [&] {
    connection = Fd(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return static_cast<bool>(connection);
  }));
  run_until_idle(*engine);
  EXPECT_EQ(receive_exactly(connection.get(), 16), cancel_request(7, "key!"));
  EXPECT_FALSE(done);
  EXPECT_EQ(sender.in_flight(), 1U);
  connection.reset();
  EXPECT_TRUE(run_until(*engine, [&] { return done; }));
  EXPECT_EQ(sender.in_flight(), 0U);
}

TEST_P(CancelSenderTest, done_comes_also_when_there_is_no_server) {
  const auto engine = make_engine();
  auto server = listen_on_loopback();
  const auto at = address_of(server);
  server.reset();
  tls::Work work;
  CancelSender sender(*engine, work);
  bool done = false;
  EXPECT_TRUE(sender.send(at, {7, "key!"}, [&] { done = true; }));
  EXPECT_TRUE(run_until(*engine, [&] { return done; }));
}

TEST_P(CancelSenderTest, number_of_requests_in_flight_is_bounded) {
  const auto engine = make_engine();
  const auto server = listen_on_loopback();
  tls::Work work;
  CancelSender sender(*engine, work);
  std::size_t done = 0;
  for (std::size_t i = 0; i < kMaxCancelsInFlight + kMaxCancelsWaiting; ++i) {
    EXPECT_TRUE(sender.send(address_of(server), {7, "key!"}, [&] { ++done; }));
  }
  EXPECT_FALSE(sender.send(address_of(server), {7, "key!"}, [&] { ++done; }));
  EXPECT_EQ(done, 1U);
}

TEST_P(CancelSenderTest, requests_beyond_the_bound_are_sent_when_others_are_through) {
  const auto engine = make_engine();
  const auto server = listen_on_loopback();
  tls::Work work;
  CancelSender sender(*engine, work);
  constexpr std::size_t kAll = kMaxCancelsInFlight + 70;
  std::size_t done = 0;
  for (std::size_t i = 0; i < kAll; ++i) {
    EXPECT_TRUE(sender.send(address_of(server), {7, "key!"}, [&] { ++done; }));
  }
  std::size_t arrived = 0;
  EXPECT_TRUE(run_until(*engine, [&] {
    const Fd connection(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) {
      ++arrived;
      EXPECT_LE(arrived, done + kMaxCancelsInFlight);
    }
    return done == kAll;
  }));
  EXPECT_EQ(arrived, kAll);
  EXPECT_EQ(sender.in_flight(), 0U);
}

TEST_P(ProxyFixture, cancel_request_reaches_the_server_from_any_worker) {
  start_proxy();
  const auto first = open_session(11);
  const auto second = open_session(22);
  send_all(first.client.get(), query("SELECT pg_sleep(10)"));
  receive_message(first.server.get());
  // Two requests, so that each worker gets one.
  for (int i = 0; i < 2; ++i) {
    const auto canceller = connect_client();
    send_all(canceller.get(), cancel_request(11, "key!"));
    auto server = accept_server();
    EXPECT_EQ(receive_exactly(server.get(), 16), cancel_request(11, "key!"));
    // The client waits until the server has acted.
    EXPECT_EQ(::recv(canceller.get(), nullptr, 0, MSG_DONTWAIT | MSG_PEEK), -1);
    server.reset();
    EXPECT_TRUE(is_at_end(canceller.get()));
  }
}

TEST_P(ProxyFixture, cancel_request_with_an_unknown_key_is_dropped) {
  start_proxy();
  const auto session = open_session(11);
  for (const auto& request : {cancel_request(11, "yek!"), cancel_request(12, "key!")}) {
    const auto canceller = connect_client();
    send_all(canceller.get(), request);
    EXPECT_TRUE(is_at_end(canceller.get()));
  }
  EXPECT_FALSE(accept_server(0));
  EXPECT_EQ(total(&WorkerStats::cancel_requests), 2U);
}

TEST_P(ProxyFixture, cancel_request_for_a_session_that_ended_is_dropped) {
  start_proxy();
  auto session = open_session(11);
  session.client.reset();
  session.server.reset();
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
  const auto canceller = connect_client();
  send_all(canceller.get(), cancel_request(11, "key!"));
  EXPECT_TRUE(is_at_end(canceller.get()));
  EXPECT_FALSE(accept_server(0));
}

}  // namespace
}  // namespace helios::net
