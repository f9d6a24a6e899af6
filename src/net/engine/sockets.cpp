// SPDX-License-Identifier: Apache-2.0

#include "net/engine/sockets.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace helios::net {
namespace {

// Where it fails, the socket works without it.
void set_option(const Fd& fd, int level, int option, int value) {
  ::setsockopt(fd.get(), level, option, &value, sizeof(value));
}

void switch_on(const Fd& fd, int level, int option) { set_option(fd, level, option, 1); }

// 0 stays what the system has.
void set_tcp_option(const Fd& fd, int option, std::uint32_t value) {
  if (value != 0) {
    set_option(fd, IPPROTO_TCP, option, static_cast<int>(value));
  }
}

// nullopt: it is not a socket.
std::optional<int> option_of(const Fd& fd, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (::getsockopt(fd.get(), SOL_SOCKET, option, &value, &length) != 0) {
    return std::nullopt;
  }
  return value;
}

base::Result<Fd> listen_error(const config::Address& address, int error) {
  const bool is_missing = error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
  return base::fail(is_missing ? base::Errc::not_found : base::Errc::unavailable,
                    "cannot listen on " + config::to_string(address) + ": " + std::strerror(error));
}

}  // namespace

void set_session_options(const Fd& connection, const Endpoint& peer, const config::Tcp& options) {
  if (peer.family() == AF_UNIX) {
    return;
  }
  switch_on(connection, IPPROTO_TCP, TCP_NODELAY);
  set_tcp_option(connection, TCP_USER_TIMEOUT, options.user_timeout_ms);
  if (!options.keepalive) {
    return;
  }
  switch_on(connection, SOL_SOCKET, SO_KEEPALIVE);
  set_tcp_option(connection, TCP_KEEPIDLE, options.keepalive_idle_s);
  set_tcp_option(connection, TCP_KEEPINTVL, options.keepalive_interval_s);
  set_tcp_option(connection, TCP_KEEPCNT, options.keepalive_count);
}

base::Result<Fd> open_listener(const config::Address& address) {
  const auto endpoint = tcp_endpoint(address);
  if (!endpoint) {
    return base::fail(endpoint.error().code, endpoint.error().message);
  }
  Fd fd(::socket(endpoint->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    return listen_error(address, errno);
  }
  switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
  if (endpoint->family() == AF_INET6) {
    switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);  // [::] beside 0.0.0.0
  }
  if (::bind(fd.get(), endpoint->address(), endpoint->length) != 0 ||
      ::listen(fd.get(), kListenBacklog) != 0) {
    return listen_error(address, errno);
  }
  return fd;
}

base::Result<void> prepare_inherited_listener(const Fd& socket) {
  const auto failure = [&](const char* why) {
    return base::fail(base::Errc::invalid, "cannot listen on the inherited descriptor " +
                                               std::to_string(socket.get()) + ": " + why);
  };
  const auto type = option_of(socket, SO_TYPE);
  if (!type) {
    return failure("it is not a socket");
  }
  const auto family = option_of(socket, SO_DOMAIN);
  const bool is_known = family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  if (type != SOCK_STREAM || !is_known) {
    return failure("it is neither a TCP nor a Unix stream socket");
  }
  if (option_of(socket, SO_ACCEPTCONN) != 1) {
    return failure("it does not listen");
  }
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return failure(std::strerror(errno));
  }
  return {};
}

}  // namespace helios::net
