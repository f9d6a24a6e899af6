// SPDX-License-Identifier: Apache-2.0

#include "net/sockets.hpp"

#include "net/endpoint.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace helios::net {
namespace {

// Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.
constexpr int kBacklog = 4096;

void switch_on(const Fd& fd, int level, int option) {
  const int on = 1;
  // Where it fails (TCP options on a Unix socket), the socket works without it.
  ::setsockopt(fd.get(), level, option, &on, sizeof(on));
}

base::Result<Fd> listen_error(const config::Address& address, int error) {
  const bool is_missing = error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
  return base::fail(is_missing ? base::Errc::not_found : base::Errc::unavailable,
                    "cannot listen on " + config::to_string(address) + ": " + std::strerror(error));
}

}  // namespace

void set_session_options(const Fd& connection) {
  switch_on(connection, IPPROTO_TCP, TCP_NODELAY);
  switch_on(connection, SOL_SOCKET, SO_KEEPALIVE);
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
      ::listen(fd.get(), kBacklog) != 0) {
    return listen_error(address, errno);
  }
  return fd;
}

}  // namespace helios::net
