// SPDX-License-Identifier: Apache-2.0
//
// Goal: the Unix socket for clients is where programs look, is as it was asked for, replaces what the dead
// left behind and nothing else, and goes when its owner goes.

#include "net/unix_listener.hpp"

#include "net/engine/endpoint.hpp"
#include "net/engine/sockets.hpp"
#include "net/os_user.hpp"
#include "unit/net/net_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <netinet/tcp.h>
#include <sys/stat.h>

namespace helios::net {
namespace {

using testing::HasSubstr;
using testing::Not;

class UnixListenerTest : public testing::Test {
 protected:
  UnixListenerTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "helios_unix_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    listen_.unix_socket_dir = folder_;
  }
  ~UnixListenerTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return unix_socket_path(folder_, 6432); }
  base::Result<UnixListener> open() { return UnixListener::open(listen_, 6432); }
  std::string error() {
    const auto opened = open();
    return opened ? "no error" : opened.error().message;
  }

  // A socket that is bound to the path by somebody who knows nothing of locks.
  [[nodiscard]] Fd bind_there(int type = SOCK_STREAM) const {
    Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const auto endpoint = unix_endpoint(path());
    EXPECT_EQ(::bind(fd.get(), endpoint.address(), endpoint.length), 0);
    return fd;
  }

  std::string folder_;
  config::Listen listen_;
};

TEST_F(UnixListenerTest, clients_connect_and_both_files_go_with_it) {
  {
    auto listener = open();
    ASSERT_TRUE(listener) << listener.error().message;
    EXPECT_EQ(listener->path(), folder_ + "/.s.PGSQL.6432");
    const auto socket = listener->take_socket();
    const auto client = connect_blocking(unix_endpoint(path()));
    EXPECT_TRUE(Fd(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    EXPECT_TRUE(std::filesystem::exists(path() + ".lock"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(UnixListenerTest, permissions_and_group_are_as_configured) {
  listen_.unix_socket_mode = 0640;
  listen_.unix_socket_group = std::to_string(::getgid());
  const auto listener = open();
  ASSERT_TRUE(listener) << listener.error().message;
  struct stat found{};
  ASSERT_EQ(::stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0640U);
  EXPECT_EQ(found.st_gid, ::getgid());
}

TEST_F(UnixListenerTest, unknown_group_is_an_error_and_leaves_nothing) {
  listen_.unix_socket_group = "no such group";
  EXPECT_THAT(error(), HasSubstr("there is no group \"no such group\""));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(UnixListenerTest, socket_of_the_dead_is_replaced) {
  bind_there().reset();
  std::ofstream(path() + ".lock") << "1\n/var/lib/postgresql\n";
  const auto listener = open();
  ASSERT_TRUE(listener) << listener.error().message;
  const auto client = connect_blocking(unix_endpoint(path()));
  std::string owner;
  std::ifstream(path() + ".lock") >> owner;
  EXPECT_EQ(owner, std::to_string(::getpid()));
}

TEST_F(UnixListenerTest, second_one_is_refused_by_name_of_the_first) {
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_THAT(error(),
              HasSubstr(path() + ": it is in use by process " + std::to_string(::getpid())));
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(UnixListenerTest, living_socket_without_our_lock_is_left_alone) {
  const auto other = bind_there();
  ASSERT_EQ(::listen(other.get(), 1), 0);
  std::ofstream(path() + ".lock") << "1\n";
  EXPECT_THAT(error(), HasSubstr("another process is listening there"));
  std::string owner;
  std::ifstream(path() + ".lock") >> owner;
  EXPECT_EQ(owner, "1");
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(UnixListenerTest, other_files_are_left_alone) {
  std::ofstream(path()) << "precious";
  EXPECT_THAT(error(), HasSubstr("not a socket"));
  EXPECT_TRUE(std::filesystem::is_regular_file(path()));
  std::filesystem::remove(path());
  const auto datagrams = bind_there(SOCK_DGRAM);
  EXPECT_THAT(error(), Not(HasSubstr("no error")));
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(UnixListenerTest, missing_folder_and_long_path_are_named) {
  listen_.unix_socket_dir = folder_ + "/none";
  EXPECT_THAT(error(), HasSubstr(folder_ + "/none/.s.PGSQL.6432"));
  EXPECT_THAT(error(), HasSubstr("No such file or directory"));
  listen_.unix_socket_dir = "/" + std::string(100, 'd');
  EXPECT_THAT(error(), HasSubstr("longer than 107 bytes"));
}

TEST(OsUserOf, unix_socket_tells_the_process_at_its_other_end) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd one(ends[0]);
  const Fd two(ends[1]);
  OsUserNames names;
  const auto user = os_user_of(one.get(), names);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, ::getuid());
  EXPECT_EQ(user->pid, ::getpid());
  EXPECT_EQ(user->name, names.name_of(::getuid()));
}

TEST(OsUserOf, tcp_tells_nobody_and_unknown_numbers_have_no_name) {
  const TcpPair pair;
  OsUserNames names;
  EXPECT_FALSE(os_user_of(pair.near.get(), names));
  EXPECT_EQ(names.name_of(4'000'000'000U), "");
}

class SocketOptions : public testing::Test {
 protected:
  [[nodiscard]] int get(int level, int option) const {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(::getsockopt(pair_.near.get(), level, option, &value, &length), 0);
    return value;
  }
  void apply(const config::Tcp& options) {
    set_session_options(pair_.near, *tcp_endpoint({"127.0.0.1", 1}), options);
  }
  TcpPair pair_;
};

TEST_F(SocketOptions, keepalive_and_user_timeout_are_as_configured) {
  apply({.keepalive = true,
         .keepalive_idle_s = 11,
         .keepalive_interval_s = 12,
         .keepalive_count = 13,
         .user_timeout_ms = 14'000});
  EXPECT_NE(get(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_NE(get(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPIDLE), 11);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPINTVL), 12);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPCNT), 13);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_USER_TIMEOUT), 14'000);
}

TEST_F(SocketOptions, zero_leaves_what_the_system_has_and_off_is_off) {
  const auto idle = get(IPPROTO_TCP, TCP_KEEPIDLE);
  apply({.keepalive = true,
         .keepalive_idle_s = 0,
         .keepalive_interval_s = 0,
         .keepalive_count = 0,
         .user_timeout_ms = 0});
  EXPECT_NE(get(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPIDLE), idle);
  const TcpPair other;
  pair_.near = Fd(::dup(other.near.get()));
  apply({.keepalive = false,
         .keepalive_idle_s = 5,
         .keepalive_interval_s = 5,
         .keepalive_count = 5,
         .user_timeout_ms = 0});
  EXPECT_EQ(get(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPIDLE), idle);
}

}  // namespace
}  // namespace helios::net
