// SPDX-License-Identifier: Apache-2.0
#pragma once

// Socket addresses as values, and how the configured server is found.

#include "base/result.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace helios::net {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* address() const;
  [[nodiscard]] int family() const { return storage.ss_family; }
  // "127.0.0.1:5432", "[::1]:5432" or the path of a Unix socket.
  [[nodiscard]] std::string text() const;
  // The IP address alone; empty for a Unix socket.
  [[nodiscard]] std::string ip() const;
  [[nodiscard]] std::uint16_t port() const;  // 0 for a Unix socket
};

// Requires: address.host is an IP literal. Errors: invalid when it is not.
[[nodiscard]] base::Result<Endpoint> tcp_endpoint(const config::Address& address);

// Where PostgreSQL's programs look for a Unix socket when they are given a folder.
[[nodiscard]] std::string unix_socket_path(const std::string& folder, std::uint16_t port);

// Requires: `path` fits into a socket address (107 bytes).
[[nodiscard]] Endpoint unix_endpoint(const std::string& path);

// The local address of a bound socket.
[[nodiscard]] Endpoint local_endpoint(int fd);

// Where to look for the server, in the order to try: one place, or ::1 and then 127.0.0.1 for
// "localhost". Requires: config::check_server_host() accepted the host.
[[nodiscard]] std::vector<Endpoint> server_endpoints(const config::Server& server);

}  // namespace helios::net
