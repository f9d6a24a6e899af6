// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens to a session, written as text: one line for each thing, so that seeds can be read and
// mutations stay meaningful.
//
//   Qselect 1       the client sends a message of that type; the rest of the line goes into it
//   -CSELECT 1      the server does: here a CommandComplete
//   <bytes          the client sends these bytes as they are; >bytes: the server does
//   !e              an event: see Event
// A NUL byte cannot stand in a line of text well, so '|' in raw bytes is one.

#include <string>
#include <string_view>

namespace helios::fuzz {

struct Event {
  enum class Kind {
    client_bytes,
    server_bytes,
    client_eof,        // !e
    client_lost,       // !l
    server_eof,        // !s
    server_connected,  // !c
    server_failed,     // !f
    cancel,            // !k
    drain,             // !d
    drain_at_once,     // !D
    time_passes,       // !t
  };
  Kind kind = Kind::client_bytes;
  std::string bytes;  // of the first two
};

[[nodiscard]] Event read_event(std::string_view line);

// A message of the client, or of the server, of that type, with `text` in its usual place.
[[nodiscard]] std::string client_message(char type, std::string_view text);
[[nodiscard]] std::string server_message(char type, std::string_view text);

}  // namespace helios::fuzz
