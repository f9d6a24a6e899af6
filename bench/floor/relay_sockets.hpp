// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few socket calls that both floor relays need. They end the process when something fails.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace floor_relay {

inline int check(int result, const char* what) {
  if (result < 0) {
    std::perror(what);
    std::exit(EXIT_FAILURE);
  }
  return result;
}

inline sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  return address;
}

inline void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline int listen_on(const char* port) {
  const int fd = check(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  check(::listen(fd, 1024), "listen");
  return fd;
}

inline int accept_from(int listener) {
  const int fd = check(::accept(listener, nullptr, nullptr), "accept");
  send_at_once(fd);
  return fd;
}

// `where`: a port of the loopback address, or the path of a Unix socket.
inline int connect_to(const char* where) {
  if (where[0] == '/') {
    const int fd = check(::socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, where, sizeof address.sun_path - 1);
    check(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    return fd;
  }
  const int fd = check(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  const sockaddr_in address = loopback(where);
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  send_at_once(fd);
  return fd;
}

inline void send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

}  // namespace floor_relay
