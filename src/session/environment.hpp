// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a session is given to work with. One Environment per worker, shared by its sessions; all of
// it belongs to the worker's thread, except where the interfaces say otherwise.

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "config/config.hpp"
#include "hooks/chain.hpp"
#include "kv/store.hpp"
#include "sql/analyzer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace helios::session {

// Events worth counting, one set per worker, written by that worker only.
struct Counters {
  std::uint64_t queries = 0;          // Query messages that hooks looked at
  std::uint64_t statements = 0;       // statement executions that hooks looked at
  std::uint64_t refused = 0;          // messages refused, whoever refused them
  std::uint64_t protocol_errors = 0;  // sessions ended because of malformed messages
};

// Counts the sessions of each user and database against the limits on connections.
//
// Thread rule: any thread. Called once at the start and once at the end of a session.
class Admission {
 public:
  virtual ~Admission() = default;
  // Empty when there is room, which is then taken; otherwise one line for the client.
  [[nodiscard]] virtual std::string enter(const std::string& user, const std::string& database) = 0;
  virtual void leave(const std::string& user, const std::string& database) = 0;
};

struct Environment {
  base::Executor* home = nullptr;  // this worker's mailbox
  base::Executor* slow = nullptr;  // threads for work too long for a worker (large texts)
  const base::Clock* clock = nullptr;
  base::Log* log = nullptr;
  sql::Analyzer* analyzer = nullptr;
  kv::Store* store = nullptr;
  // The snapshots in force. A reload replaces them between two events.
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const hooks::Chain> chain;
  Counters* counters = nullptr;
  Admission* admission = nullptr;  // null: no limits on connections
  std::uint64_t next_statement_id = 1;
  std::uint64_t statement_id_step = 1;  // workers count in steps, so ids are unique in the process
};

// Who is at the other end of a client connection.
struct Peer {
  std::string ip;              // empty for a Unix socket
  bool is_over_limit = false;  // all together there are too many: only cancel requests are served
  std::string session_id;      // UUID, made by the shell: the session has no randomness of its own
};

}  // namespace helios::session
