// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a session is given to work with. One Environment per worker, shared by its sessions; all of
// it belongs to the worker's thread, except where the interfaces say otherwise.

#include "auth/failed_logins.hpp"
#include "auth/login_rules.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/quiet_log.hpp"
#include "blocks/block_list.hpp"
#include "config/config.hpp"
#include "hooks/chain.hpp"
#include "kv/store.hpp"
#include "session/prepared.hpp"
#include "session/recycler.hpp"
#include "session/timings.hpp"
#include "sql/analyzer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace helios::session {

// Events worth counting, one set per worker, written by that worker only.
struct Counters {
  std::uint64_t queries = 0;          // Query messages that hooks looked at
  std::uint64_t statements = 0;       // statement executions that hooks looked at
  std::uint64_t refused = 0;          // messages refused, whoever refused them
  std::uint64_t protocol_errors = 0;  // sessions ended because of malformed messages
  std::uint64_t out_of_memory = 0;    // sessions ended, and queries refused, at a memory limit
  std::uint64_t session_faults = 0;   // sessions ended by an exception that nobody expected
  std::uint64_t failed_logins = 0;   // a password, a certificate, an OS user, a plugin that said no
  std::uint64_t slowed_logins = 0;   // that had to wait, because others before them failed
  std::uint64_t refused_logins = 0;  // because too many were under way, or waited
  std::uint64_t bad_proxy_headers = 0;  // connections ended because of one
  // Logins and statements refused, and sessions ended, because somebody is blocked; by blocks::Kind.
  std::array<std::uint64_t, blocks::kKinds.size()> blocked = {};

  void note_blocked(blocks::Kind kind) { ++blocked[static_cast<std::size_t>(kind)]; }
};

// What becomes of a client that has just come. But for `welcome`, he takes no place from others.
enum class Arrival {
  welcome,
  too_many_of_origin,
  too_many,
  dropped,  // one of both, and too many of those are there already
};

// A login, from where and when.
struct LoginClaim {
  std::string_view user;
  std::string_view origin;  // of Identity::origin()
  std::int64_t now_ns = 0;  // of the monotonic clock
};

using FailureAlarm = auth::FailedLogins::Alarm;

// Counts logins, and the sessions of each user and database, against the limits on them.
//
// Thread rule: any thread. Called a few times for each login, and once at the end of a session.
class Admission {
 public:
  virtual ~Admission() = default;
  // A login begins; depart() with what it was told when it is over. `origin`: of Identity::origin().
  [[nodiscard]] virtual Arrival arrive(const std::string& origin) = 0;
  virtual void depart(const std::string& origin, Arrival arrival) = 0;
  // How many milliseconds it has to wait for those before it that failed; nullopt: too many wait.
  [[nodiscard]] virtual std::optional<std::uint32_t> hold_up(const LoginClaim& claim) = 0;
  virtual FailureAlarm note_failure(const LoginClaim& claim) = 0;
  virtual void note_success(const LoginClaim& claim) = 0;
  // Empty when there is room, which is then taken; otherwise one line for the client.
  [[nodiscard]] virtual std::string enter(const std::string& user, const std::string& database) = 0;
  virtual void leave(const std::string& user, const std::string& database) = 0;
};

// Is told which of [[identity.rules]] fit clients.
//
// Thread rule: any thread. Called once at the start of a session that a rule fits.
class IdentityRuleUse {
 public:
  virtual ~IdentityRuleUse() = default;
  virtual void note_match(const config::IdentityRule& rule) = 0;
};

// What a reload replaces, all at once.
struct Snapshot {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const hooks::Chain> chain;
  auth::SharedLoginRules login_rules = {};  // null: the server authenticates clients
};

// What the sessions of one worker hold: each adds its own, in plain numbers. What those of the other
// workers hold is asked for only by sessions that hold much.
struct MemoryUse {
  std::uint64_t here_bytes = 0;
  std::function<std::uint64_t()> elsewhere;  // empty: there are no others
};

class RefusalSink;

struct Environment {
  base::Executor* home = nullptr;  // this worker's mailbox
  base::Executor* slow = nullptr;  // threads for work too long for a worker (large texts)
  const base::Clock* clock = nullptr;
  base::Log* log = nullptr;
  sql::Analyzer* analyzer = nullptr;
  std::shared_ptr<StatementPool> statements = std::make_shared<StatementPool>();
  std::shared_ptr<Recycler> recycler = std::make_shared<Recycler>();
  kv::Store* store = nullptr;  // for helios.kv()
  // The snapshot in force. A reload replaces it between two events; whoever needs the same one over
  // several events keeps it.
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const hooks::Chain> chain;
  auth::SharedLoginRules login_rules;  // null: the server authenticates clients
  // Who is blocked. Replaced between two events, like the snapshot; whoever replaces it lets each session know
  // (Session::on_blocks()), so that nobody slips through in between.
  blocks::SharedBlockSet blocks;
  Counters* counters = nullptr;
  Timings* timings = nullptr;  // null: nobody wants to know
  MemoryUse memory;
  Admission* admission = nullptr;                // null: no limits on connections
  IdentityRuleUse* identity_rule_use = nullptr;  // null: nobody counts
  RefusalSink* refusals = nullptr;  // null: nobody keeps records, and clients are told no id
  std::shared_ptr<base::QuietLog> quiet_log = {};  // of warn(); made when it is needed
  std::int64_t fault_line_due_ns = 0;  // no log line about an unexpected exception before
  std::uint64_t next_statement_id = 1;
  std::uint64_t statement_id_step = 1;  // workers count in steps, so ids are unique in the process

  // Of what a stranger can cause as often as he likes.
  void warn(const std::string& line) {
    if (!quiet_log) quiet_log = std::make_shared<base::QuietLog>(*log);
    quiet_log->warn(clock->monotonic_ns(), line);
  }
};

// The OS user of a client at the other end of a Unix socket, as the operating system tells.
struct OsUser {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;  // 0: of another process namespace
  std::string name;      // empty: the system has no name for the number
};

// Who a client's certificate says that he is.
struct ClientCertificate {
  std::string common_name;         // empty: it has none
  std::string distinguished_name;  // the subject as RFC 2253 writes it: "CN=ann,O=Example"
};

// How a client's connection is encrypted.
struct Encryption {
  std::string version;               // "TLSv1.3"
  std::string cipher;                // "TLS_AES_256_GCM_SHA384"
  std::string channel_binding = {};  // tls-server-end-point (RFC 5929); empty: there is none
  std::optional<ClientCertificate> certificate = {};  // one that [tls] client_ca vouches for
};

// Who is at the other end of a client connection.
struct Peer {
  std::string ip;                             // empty for a Unix socket
  std::optional<OsUser> os_user;              // set for a Unix socket
  std::optional<Encryption> encryption = {};  // once there is one
  bool is_over_limit = false;  // all together there are too many: only cancel requests are served
  bool is_front = false;   // its first bytes are a header of the PROXY protocol, and say who it is
  std::string session_id;  // UUID, made by the shell: the session has no randomness of its own
};

}  // namespace helios::session
