// SPDX-License-Identifier: Apache-2.0

#include "net/notify_socket.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace helios::net {

base::Result<NotifySocket> NotifySocket::open(const std::string& address) {
  const bool is_known = address.size() > 1 && (address.front() == '/' || address.front() == '@');
  if (!is_known || address.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::fail(base::Errc::invalid,
                      "NOTIFY_SOCKET=" + address + " is neither a path nor an abstract socket");
  }
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  if (!socket ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0) {
    return base::fail(base::Errc::unavailable,
                      std::string("no socket for the service manager: ") + std::strerror(errno));
  }
  return NotifySocket(std::move(socket), address);
}

base::Result<void> NotifySocket::send(std::string_view message) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  address_.copy(to.sun_path, sizeof(to.sun_path) - 1);
  if (address_.front() == '@') {
    to.sun_path[0] = '\0';  // an abstract name: it ends where the address does
  }
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const auto sent = ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), length);
  if (sent < 0) {
    return base::fail(base::Errc::unavailable, "the service manager at NOTIFY_SOCKET=" + address_ +
                                                   " cannot be told: " + std::strerror(errno));
  }
  return {};
}

}  // namespace helios::net
