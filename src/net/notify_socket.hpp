// SPDX-License-Identifier: Apache-2.0
#pragma once

// The datagram socket on which a service manager hears of the service's state: sd_notify(3), which describes the
// protocol and allows to implement it anew. Knows nothing of what the messages mean.

#include "base/result.hpp"
#include "net/engine/fd.hpp"

#include <string>
#include <string_view>

namespace helios::net {

// Thread rule: one thread.
class NotifySocket {
 public:
  // `address`: what the variable NOTIFY_SOCKET has: an absolute path, or `@` and the name of an abstract socket.
  // Errors: invalid (it is neither, or longer than a socket's name can be), unavailable (no socket is to be had).
  [[nodiscard]] static base::Result<NotifySocket> open(const std::string& address);

  // One datagram. Waits for a receiver that has no room, but a second at most. Errors: unavailable.
  [[nodiscard]] base::Result<void> send(std::string_view message) const;

 private:
  NotifySocket(Fd socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  Fd socket_;
  std::string address_;
};

}  // namespace helios::net
