// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a session wants done after an event. The shell (net) hands an empty Actions to every event,
// performs it, and clears it; tests look at it instead. Nothing here does I/O.

#include "base/output.hpp"
#include "pgwire/cancel_request.hpp"

#include <optional>
#include <string>

namespace helios::session {

// Order of performing: register first, then bytes, then ends. Ends take effect when the
// bytes appended so far (also by earlier events) have been handed to the kernel.
struct Actions {
  // The server told the client this key: cancel requests that carry it are to reach on_cancel().
  std::optional<pgwire::CancelKey> register_cancel_key;
  // This client connection is a CancelRequest: deliver it to the session that owns the key.
  std::optional<pgwire::CancelKey> deliver_cancel;
  // Open a connection of its own to the server and send the CancelRequest with the registered key.
  bool send_cancel = false;
  // The same for a statement whose answer was cut: Session::on_cap_cancelled() is called when the server has acted, or
  // never will.
  bool send_cap_cancel = false;
  // The client's connection is encrypted from here on, behind `to_client`; Session::on_client_encrypted() follows, or the
  // connection is lost. Holds those bytes of the client that are part of the handshake already.
  std::optional<std::string> encrypt_client;
  base::Output to_client;
  base::Output to_server;
  bool finish_server = false;  // no more bytes for the server: half-close towards it
  bool close_client = false;   // flush, then close the client connection

  void clear();
};

}  // namespace helios::session
