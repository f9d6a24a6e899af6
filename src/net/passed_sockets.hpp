// SPDX-License-Identifier: Apache-2.0
#pragma once

// Listening sockets that a service manager has bound and passes on ("socket activation"), each to be used in the place
// of one that the proxy would bind itself.
//
// Flow: 1 adopt(); 2 take() for each configured address; 3 check_all_taken().
// Thread rule: one thread.

#include "base/result.hpp"
#include "net/engine/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace helios::net {

struct PassedSocket {
  Fd socket;
  std::string name;   // what the service manager calls it, for messages
  std::string place;  // where it listens, as Endpoint::text() writes it; filled in by adopt()
};

class PassedSockets {
 public:
  PassedSockets() = default;

  // Makes the sockets fit for an engine. Errors: invalid, when one is no listening TCP or Unix socket; the message has
  // its name and says what it is. All are closed then.
  [[nodiscard]] static base::Result<PassedSockets> adopt(std::vector<PassedSocket> sockets);

  // The socket that listens at `place`, if one was passed. Places are compared as Endpoint::text() writes them, so IPv6
  // addresses are the same in every spelling. A socket for all addresses ("[::]:6432") stands for itself only.
  [[nodiscard]] std::optional<Fd> take(const std::string& place);

  // Errors: invalid, when a socket is left that nobody has taken; the message names the first and says what to do.
  [[nodiscard]] base::Result<void> check_all_taken() const;

 private:
  std::vector<PassedSocket> sockets_;
};

}  // namespace helios::net
