// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a session wants done after an event. The shell (net) hands an empty Actions to every event,
// performs it, and clears it; tests look at it instead. Nothing here does I/O.

#include "pgwire/cancel_request.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

// Bytes for one direction, in order, as a list of pieces: views into the input of the present event
// and texts of the session's own. Adjacent views of one input merge into one piece.
//
// Lifetime: pieces are valid until the event's input is gone or clear() is called.
class Output {
 public:
  // Appends bytes that live until the shell has performed the actions.
  void append_view(std::string_view bytes);
  // Appends bytes that the Output keeps itself.
  void append(std::string bytes);

  [[nodiscard]] const std::vector<std::string_view>& pieces() const { return pieces_; }
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  [[nodiscard]] std::string flatten() const;
  void clear();

 private:
  std::vector<std::string_view> pieces_;
  std::deque<std::string> owned_;  // a deque never moves what pieces_ points to
};

// Order of performing: dial or register first, then bytes, then ends. Ends take effect when the
// bytes appended so far (also by earlier events) have been handed to the kernel.
struct Actions {
  bool connect_server = false;  // dial; answer with on_server_connected/on_server_failed
  // The server told the client this key: cancel requests that carry it are to reach on_cancel().
  std::optional<pgwire::CancelKey> register_cancel_key;
  // This client connection is a CancelRequest: deliver it to the session that owns the key.
  std::optional<pgwire::CancelKey> deliver_cancel;
  // Open a connection of its own to the server and send the CancelRequest with the registered key.
  bool send_cancel = false;
  Output to_client;
  Output to_server;
  bool finish_server = false;  // no more bytes for the server: half-close towards it
  bool close_server = false;   // drop the server connection, unsent bytes included
  bool close_client = false;   // flush, then close the client connection

  // Keeps bytes alive as long as the pieces above; returns a view of them.
  std::string_view retain(std::string bytes);

  void clear();

 private:
  std::deque<std::string> retained_;
};

}  // namespace helios::session
