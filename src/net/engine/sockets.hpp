// SPDX-License-Identifier: Apache-2.0
#pragma once

// Socket set-up that is the same everywhere.

#include "base/result.hpp"
#include "config/config.hpp"
#include "net/engine/endpoint.hpp"
#include "net/engine/fd.hpp"

namespace helios::net {

// Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.
inline constexpr int kListenBacklog = 4096;

// For both legs of a session, where they are TCP: no waiting for larger packets (messages are answered
// one by one), and what `options` say about peers that vanished.
void set_session_options(const Fd& connection, const Endpoint& peer, const config::Tcp& options);

// A listening, non-blocking socket. Errors: not_found when the machine lacks the address,
// unavailable for anything else; the message names the address.
[[nodiscard]] base::Result<Fd> open_listener(const config::Address& address);

// Makes a socket that somebody else has opened what open_listener() returns: non-blocking, and not for programs that are
// run from here. Errors: invalid, when it is no listening stream socket of TCP or Unix; the message says what it is.
[[nodiscard]] base::Result<void> prepare_inherited_listener(const Fd& socket);

}  // namespace helios::net
