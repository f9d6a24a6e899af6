// SPDX-License-Identifier: Apache-2.0
//
// Goal: the proxy serves clients of sockets that somebody else has bound, those included who connected before it was there.

#include "unit/net/proxy_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace helios::net {
namespace {

using testing::HasSubstr;

// A listening Unix socket in a folder of its own.
class UnixPlace {
 public:
  UnixPlace()
      : folder_(std::filesystem::temp_directory_path() /
                ("helios_inherit_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~UnixPlace() { std::filesystem::remove_all(folder_); }
  UnixPlace(const UnixPlace&) = delete;
  UnixPlace& operator=(const UnixPlace&) = delete;

  [[nodiscard]] std::string path() const { return net::unix_socket_path(folder_, 6432); }
  [[nodiscard]] Fd listen() const {
    // Blocking, and for every program: what is inherited may be so.
    Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto at = unix_endpoint(path());
    EXPECT_EQ(::bind(socket.get(), at.address(), at.length), 0);
    EXPECT_EQ(::listen(socket.get(), 16), 0);
    return socket;
  }

 private:
  std::filesystem::path folder_;
};

class Inheriting : public ProxyFixture {
 protected:
  // One client has connected before the proxy is there.
  void start() {
    auto tcp = listen_on_loopback();
    early_ = connect_blocking(local_endpoint(tcp.get()));
    ::fcntl(tcp.get(), F_SETFL, ::fcntl(tcp.get(), F_GETFL) & ~O_NONBLOCK);
    inherited_.push_back(std::move(tcp));
    inherited_.push_back(place_.listen());
    start_proxy();
  }
  void expect_served(const Fd& client) {
    send_all(client.get(), startup_packet());
    const auto server = accept_server();
    EXPECT_EQ(receive_exactly(server.get(), startup_packet().size()), startup_packet());
  }

  UnixPlace place_;
  Fd early_;
};
INSTANTIATE_TEST_SUITE_P(/* no prefix */, Inheriting, testing::ValuesIn(sized_engines_for_test()),
                         [](const auto& instance) { return name_of(instance.param); });

TEST_P(Inheriting, clients_of_tcp_and_unix_sockets_are_served_early_ones_too) {
  start();
  ASSERT_EQ(proxy_->addresses().size(), 1U);
  EXPECT_EQ(proxy_->addresses()[0].host, "127.0.0.1");
  EXPECT_EQ(proxy_->unix_socket_path(), place_.path());
  expect_served(early_);
  expect_served(connect_client());
  expect_served(connect_blocking(unix_endpoint(place_.path())));
}

TEST_P(Inheriting, drain_lets_nobody_in_and_leaves_the_file_to_its_owner) {
  start();
  expect_served(early_);
  drain(true);
  wait_drained();
  EXPECT_TRUE(std::filesystem::exists(place_.path()));
  const Fd late(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto at = unix_endpoint(place_.path());
  EXPECT_NE(::connect(late.get(), at.address(), at.length), 0);
}

class Inherited : public testing::Test {
 protected:
  // The message; empty: they are taken.
  std::string inherit(std::vector<Fd> sockets) {
    auto proxy = Proxy::create({}, server_target({}), *engine_, log_);
    const auto result = (*proxy)->inherit(std::move(sockets));
    addresses_ = (*proxy)->addresses().size();
    return result ? "" : result.error().message;
  }
  std::string inherit(Fd socket) {
    std::vector<Fd> sockets;
    sockets.push_back(std::move(socket));
    return inherit(std::move(sockets));
  }

  std::unique_ptr<Engine> engine_ = make_engine_for_test();
  test::CaptureLog log_;
  std::size_t addresses_ = 0;
};

TEST_F(Inherited, what_does_not_listen_is_an_error_that_says_why) {
  EXPECT_THAT(inherit(Fd()), HasSubstr("descriptor -1: it is not a socket"));
  EXPECT_THAT(inherit(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))),
              HasSubstr("it is not a socket"));
  EXPECT_THAT(inherit(Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))),
              HasSubstr("neither a TCP nor a Unix stream socket"));
  EXPECT_THAT(inherit(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))),
              HasSubstr("it does not listen"));
}

TEST_F(Inherited, one_bad_one_spoils_all) {
  std::vector<Fd> sockets;
  sockets.push_back(listen_on_loopback());
  sockets.emplace_back();
  EXPECT_NE(inherit(std::move(sockets)), "");
  EXPECT_EQ(addresses_, 0U);
}

TEST_F(Inherited, does_not_block_and_is_not_for_other_programs) {
  auto listening = listen_on_loopback();
  const int copy = ::dup(listening.get());
  const Fd kept(copy);
  ::fcntl(copy, F_SETFL, ::fcntl(copy, F_GETFL) & ~O_NONBLOCK);
  const int number = listening.get();
  ::fcntl(number, F_SETFD, 0);
  auto proxy = Proxy::create({}, server_target({}), *engine_, log_);
  std::vector<Fd> sockets;
  sockets.push_back(std::move(listening));
  ASSERT_TRUE((*proxy)->inherit(std::move(sockets)));
  EXPECT_NE(::fcntl(copy, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace helios::net
