// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an authenticate hook sees and may answer. It runs when a client has introduced itself, before
// the server is dialled, and beside the server's own authentication: it can turn a client away or
// say who the client is, but not let anybody in.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::hooks {

class Chain;

struct AuthenticationRequest {
  std::string session_id;  // UUID of the client session
  std::string user;
  std::string database;
  std::string client_ip;  // empty for a Unix socket
  // As in the attributes of a Context: os_user (where the system has a name for him), client_uid and client_pid of a client
  // on a Unix socket; tenant_id, agent_id, model_id and helios.* settings where a rule fixes them.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::shared_ptr<const Chain> chain;
};

// Who the client is, in force once the server has accepted it.
struct Identity {
  std::string user_id;
  std::string username;
  std::vector<std::string> roles;
  std::optional<std::string> tenant_id;  // binds the session: SQL cannot change it
};

struct AuthenticationVerdict {
  enum class Action {
    defer,    // nothing to say: the next plugin is asked
    success,  // this is who it is
    denied,   // turn the client away
  };
  Action action = Action::defer;
  Identity identity;    // success
  std::string message;  // denied
  std::string detail;   // denied: more of it; empty = none
  std::string hint;     // denied: what to do; empty = nothing said
};

}  // namespace helios::hooks
