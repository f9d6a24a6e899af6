// SPDX-License-Identifier: Apache-2.0
#pragma once

// Socket set-up that is the same everywhere.

#include "base/result.hpp"
#include "config/config.hpp"
#include "net/fd.hpp"

namespace helios::net {

// For both legs of a session: no waiting for larger packets (messages are answered one by one), and
// probes that find out about peers that vanished.
void set_session_options(const Fd& connection);

// A listening, non-blocking socket. Errors: not_found when the machine lacks the address,
// unavailable for anything else; the message names the address.
[[nodiscard]] base::Result<Fd> open_listener(const config::Address& address);

}  // namespace helios::net
