// SPDX-License-Identifier: Apache-2.0

#include "net/passed_sockets.hpp"

#include "net/engine/endpoint.hpp"
#include "net/engine/sockets.hpp"

#include <algorithm>
#include <utility>

namespace helios::net {

base::Result<PassedSockets> PassedSockets::adopt(std::vector<PassedSocket> sockets) {
  for (auto& each : sockets) {
    if (const auto prepared = prepare_inherited_listener(each.socket); !prepared) {
      return base::fail(
          prepared.error().code,
          "socket \"" + each.name + "\" of the service manager: " + prepared.error().message);
    }
    each.place = local_endpoint(each.socket.get()).text();
  }
  PassedSockets adopted;
  adopted.sockets_ = std::move(sockets);
  return adopted;
}

std::optional<Fd> PassedSockets::take(const std::string& place) {
  const auto found = std::ranges::find(sockets_, place, &PassedSocket::place);
  if (found == sockets_.end()) {
    return std::nullopt;
  }
  Fd socket = std::move(found->socket);
  sockets_.erase(found);
  return socket;
}

base::Result<void> PassedSockets::check_all_taken() const {
  if (sockets_.empty()) {
    return {};
  }
  const auto& left = sockets_.front();
  return base::fail(base::Errc::invalid,
                    "the service manager passes the socket \"" + left.name +
                        "\", which listens on " + (left.place.empty() ? "no name" : left.place) +
                        ", and [listen] has no such address: add it there, or take it out of the "
                        "socket unit");
}

}  // namespace helios::net
