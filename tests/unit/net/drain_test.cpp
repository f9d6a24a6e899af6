// SPDX-License-Identifier: Apache-2.0
//
// Shutting down: idle sessions end at once, busy ones when they are done or when it is forced; and
// what can be wrong with the addresses to listen on.

#include "net/engine/sockets.hpp"
#include "unit/net/proxy_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using testing::HasSubstr;

TEST_P(ProxyFixture, drain_ends_idle_sessions_and_stops_accepting) {
  start_proxy();
  auto session = open_session(1);
  drain(false);
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("57P01"));
  EXPECT_TRUE(is_at_end(session.client.get()));
  const Fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto at = tcp_endpoint(proxy_->addresses().front());
  EXPECT_NE(::connect(late.get(), at->address(), at->length), 0);
  session.client.reset();
  wait_drained();
}

TEST_P(ProxyFixture, drain_lets_a_busy_session_finish) {
  start_proxy();
  auto session = open_session(1);
  send_all(session.client.get(), query("SELECT 1"));
  receive_message(session.server.get());
  drain(false);
  const auto answer = message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I");
  send_all(session.server.get(), answer);
  EXPECT_EQ(receive_exactly(session.client.get(), answer.size()), answer);
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("57P01"));
  session.client.reset();
  wait_drained();
}

TEST_P(ProxyFixture, forced_drain_ends_a_busy_session) {
  start_proxy();
  auto session = open_session(1);
  send_all(session.client.get(), query("SELECT pg_sleep(100)"));
  receive_message(session.server.get());
  drain(false);
  drain(true);
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("57P01"));
  EXPECT_TRUE(is_at_end(session.server.get()));
  wait_drained();
}

TEST_P(ProxyFixture, forced_drain_does_not_wait_for_a_client_that_reads_nothing) {
  start_proxy();
  const auto session = open_session(1);
  timeval patience{0, 200'000};
  ::setsockopt(session.server.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const auto unit = message('d', std::string(1'000'000, 'x'));
  while (::send(session.server.get(), unit.data(), unit.size(), MSG_NOSIGNAL) > 0) {
  }
  drain(true);
  wait_drained();
}

TEST_P(ProxyFixture, drain_without_sessions_ends_at_once) {
  start_proxy();
  drain(false);
  wait_drained();
}

class Listening : public testing::Test {
 protected:
  base::Result<void> listen_on(const config::Listen& listen) {
    auto proxy = Proxy::create({}, server_target({}), *engine_, log_);
    auto result = (*proxy)->listen(listen);
    addresses_ = (*proxy)->addresses();
    return result;
  }

  std::unique_ptr<Engine> engine_ = make_engine_for_test();
  test::CaptureLog log_;
  std::vector<config::Address> addresses_;
};

// An address of a range for documentation: no machine has it.
const config::Address kForeign{"192.0.2.1", 6432};

TEST_F(Listening, free_port_is_chosen_and_told) {
  config::Listen listen;
  listen.addresses = {{"127.0.0.1", 0}};
  EXPECT_TRUE(listen_on(listen));
  ASSERT_EQ(addresses_.size(), 1U);
  EXPECT_NE(addresses_[0].port, 0);
}

TEST_F(Listening, busy_port_is_an_error_that_names_it) {
  const auto taken = open_listener({"127.0.0.1", 0});
  ASSERT_TRUE(taken);
  const auto port = local_endpoint(taken->get()).port();
  config::Listen listen;
  listen.addresses = {{"127.0.0.1", port}};
  listen.origin = "h.toml:3: listen.addresses";
  const auto result = listen_on(listen);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "h.toml:3: listen.addresses: cannot listen on 127.0.0.1:" +
                                        std::to_string(port) + ": Address already in use");
}

TEST_F(Listening, default_address_that_the_machine_lacks_is_skipped) {
  config::Listen listen;
  listen.addresses = {kForeign, {"127.0.0.1", 0}};
  EXPECT_TRUE(listen_on(listen));
  EXPECT_EQ(addresses_.size(), 1U);
  EXPECT_EQ(log_.count(base::LogLevel::info, "192.0.2.1:6432"), 1U);
}

TEST_F(Listening, configured_address_that_the_machine_lacks_is_an_error) {
  config::Listen listen;
  listen.addresses = {kForeign, {"127.0.0.1", 0}};
  listen.is_default = false;
  listen.origin = "h.toml:3: listen.addresses";
  const auto result = listen_on(listen);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("192.0.2.1:6432"));
}

TEST_F(Listening, defaults_that_are_all_lacking_are_an_error) {
  config::Listen listen;
  listen.addresses = {kForeign};
  const auto result = listen_on(listen);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no address to listen on"));
}

}  // namespace
}  // namespace helios::net
