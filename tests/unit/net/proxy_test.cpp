// SPDX-License-Identifier: Apache-2.0
//
// Sessions through a whole proxy: how they begin, pass bytes, and end, whichever side ends them.

#include "unit/net/proxy_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <sys/un.h>

namespace helios::net {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_P(ProxyFixture, messages_pass_both_ways) {
  start_proxy();
  const auto session = open_session(1);
  send_all(session.client.get(), query("SELECT 1"));
  EXPECT_EQ(receive_message(session.server.get()), query("SELECT 1"));
  const auto answer = message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I");
  send_all(session.server.get(), answer);
  EXPECT_EQ(receive_exactly(session.client.get(), answer.size()), answer);
}

TEST_P(ProxyFixture, encryption_is_answered_with_n) {
  start_proxy();
  const auto client = connect_client();
  send_all(client.get(), int32(8) + int32(80877103));
  EXPECT_EQ(receive_exactly(client.get(), 1), "N");
}

TEST_P(ProxyFixture, terminate_is_passed_on_and_the_servers_end_ends_the_session) {
  start_proxy();
  auto session = open_session(1);
  send_all(session.client.get(), message('X', ""));
  EXPECT_EQ(receive_message(session.server.get()), message('X', ""));
  session.server.reset();
  EXPECT_TRUE(is_at_end(session.client.get()));
  session.client.reset();
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
}

TEST_P(ProxyFixture, vanished_client_ends_the_server_connection) {
  start_proxy();
  auto session = open_session(1);
  reset_connection(std::move(session.client));
  // Terminate, as the session was idle, and the end.
  EXPECT_EQ(receive_message(session.server.get()), message('X', ""));
  EXPECT_TRUE(is_at_end(session.server.get()));
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
}

TEST_P(ProxyFixture, half_close_of_the_client_is_passed_on) {
  start_proxy();
  auto session = open_session(1);
  send_all(session.client.get(), query("SELECT 1"));
  ::shutdown(session.client.get(), SHUT_WR);
  EXPECT_EQ(receive_message(session.server.get()), query("SELECT 1"));
  EXPECT_TRUE(is_at_end(session.server.get()));
  const auto answer = message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I");
  send_all(session.server.get(), answer);
  EXPECT_EQ(receive_exactly(session.client.get(), answer.size()), answer);
  session.server.reset();
  EXPECT_TRUE(is_at_end(session.client.get()));
}

TEST_P(ProxyFixture, vanished_server_ends_the_client_with_a_message) {
  start_proxy();
  auto session = open_session(1);
  session.server.reset();
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("FATAL"));
  EXPECT_TRUE(is_at_end(session.client.get()));
  session.client.reset();
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
}

TEST_P(ProxyFixture, last_words_of_a_server_that_resets_arrive) {
  start_proxy();
  auto session = open_session(1);
  const auto words = message('E', std::string_view("SFATAL\0VFATAL\0C57P01\0Mbye\0\0", 27));
  send_all(session.server.get(), words);
  reset_connection(std::move(session.server));
  EXPECT_EQ(receive_message(session.client.get()), words);
}

TEST_P(ProxyFixture, server_that_is_down_is_told_at_once) {
  server_socket_.reset();
  start_proxy();
  const auto client = connect_client();
  send_all(client.get(), startup_packet());
  const auto error = receive_message(client.get());
  EXPECT_THAT(error, StartsWith("E"));
  EXPECT_THAT(error, HasSubstr("Connection refused"));
  EXPECT_TRUE(is_at_end(client.get()));
  EXPECT_EQ(total(&WorkerStats::server_connect_failures), 1U);
}

TEST_P(ProxyFixture, server_that_does_not_answer_is_given_up_in_time) {
  // A backlog that is full: the kernel drops further connection attempts.
  server_socket_ = listen_on_loopback();
  ASSERT_EQ(::listen(server_socket_.get(), 0), 0);
  server_.port = local_endpoint(server_socket_.get()).port();
  const auto filler = connect_blocking(local_endpoint(server_socket_.get()));
  connect_timeout_ms_ = 50;
  start_proxy();
  const auto client = connect_client();
  send_all(client.get(), startup_packet());
  EXPECT_THAT(receive_message(client.get()), HasSubstr("timed out"));
}

TEST_P(ProxyFixture, client_that_leaves_while_the_server_is_dialled_is_forgotten) {
  server_socket_ = listen_on_loopback();
  ASSERT_EQ(::listen(server_socket_.get(), 0), 0);
  server_.port = local_endpoint(server_socket_.get()).port();
  const auto filler = connect_blocking(local_endpoint(server_socket_.get()));
  start_proxy();
  auto client = connect_client();
  send_all(client.get(), startup_packet());
  reset_connection(std::move(client));
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
}

TEST_P(ProxyFixture, client_that_says_nothing_is_cut_in_time) {
  config::Config config = config::default_config();
  config.limits.login_timeout_ms = 50;
  start_proxy(config);
  const auto session = open_session(1);
  const auto silent = connect_client();
  ASSERT_TRUE(eventually([&] { return total(&WorkerStats::sessions_opened) == 2; }));
  pass_ms(60);
  EXPECT_THAT(receive_message(silent.get()), HasSubstr("canceling authentication due to timeout"));
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::sessions_closed) == 1; }));
  // One that has spoken may be silent for as long as it likes.
  send_all(session.client.get(), query("SELECT 1"));
  EXPECT_EQ(receive_message(session.server.get()), query("SELECT 1"));
}

TEST_P(ProxyFixture, missing_server_is_logged_once) {
  server_socket_.reset();
  start_proxy();
  EXPECT_EQ(proxy_->server_health()->read().state, ServerHealth::State::unknown);
  for (int i = 0; i < 5; ++i) {
    const auto client = connect_client();
    send_all(client.get(), startup_packet());
    EXPECT_THAT(receive_message(client.get()), HasSubstr("Connection refused"));
  }
  EXPECT_EQ(log_.count("cannot connect to the server at 127.0.0.1:"), 1U);
  EXPECT_EQ(proxy_->server_health()->read().state, ServerHealth::State::down);
  EXPECT_EQ(proxy_->server_health()->read().reason, "Connection refused");
}

TEST_P(ProxyFixture, server_that_answers_is_up) {
  start_proxy();
  open_session(1);
  EXPECT_EQ(proxy_->server_health()->read().state, ServerHealth::State::up);
}

TEST_P(ProxyFixture, localhost_falls_back_to_ipv4) {
  server_.host = "localhost";
  start_proxy();
  open_session(1);
}

TEST_P(ProxyFixture, server_may_be_a_unix_socket) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("helios_unix_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  server_.host = folder.string();
  const auto at = server_endpoints(server_).front();
  server_socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(server_socket_.get(), at.address(), at.length), 0);
  ASSERT_EQ(::listen(server_socket_.get(), 16), 0);
  start_proxy();
  auto session = open_session(1);
  session.server.reset();
  EXPECT_THAT(receive_message(session.client.get()), HasSubstr("FATAL"));
  std::filesystem::remove_all(folder);
}

TEST_P(ProxyFixture, connections_are_dealt_evenly) {
  worker_count_ = 3;
  start_proxy();
  std::vector<Session> sessions;
  for (int i = 0; i < 6; ++i) {
    sessions.push_back(open_session(i));
  }
  for (const auto& worker : proxy_->workers()) {
    EXPECT_EQ(worker->stats().sessions_opened.value(), 2U);
  }
}

TEST_P(ProxyFixture, malformed_startup_ends_the_session) {
  start_proxy();
  const auto client = connect_client();
  send_all(client.get(), int32(1'000'000) + int32(196608));
  EXPECT_TRUE(is_at_end(client.get()));
  EXPECT_TRUE(eventually([&] { return total(&WorkerStats::protocol_errors) == 1; }));
}

TEST_P(ProxyFixture, bytes_are_counted) {
  start_proxy();
  const auto session = open_session(1);
  send_all(session.client.get(), query("SELECT 1"));
  receive_message(session.server.get());
  EXPECT_EQ(total(&WorkerStats::bytes_from_clients),
            startup_packet().size() + query("SELECT 1").size());
  EXPECT_TRUE(eventually([&] {
    return total(&WorkerStats::bytes_to_servers) == total(&WorkerStats::bytes_from_clients);
  }));
  EXPECT_EQ(total(&WorkerStats::bytes_from_servers), total(&WorkerStats::bytes_to_clients));
}

}  // namespace
}  // namespace helios::net
