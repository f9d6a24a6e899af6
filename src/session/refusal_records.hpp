// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is kept of a refusal, so that somebody can find out afterwards why a statement, or a client, was refused. Never a
// part of it: the text of a statement, or a parameter.

#include "hooks/chain.hpp"
#include "pgwire/error_response.hpp"
#include "session/answer_cap.hpp"
#include "session/refusal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

struct Environment;
struct SessionContext;
struct StatementRun;
class Identity;

struct RefusalRecord {
  std::int64_t time_ms = 0;  // since 1970-01-01 UTC
  std::string request_id;    // as plugins and the client are told
  std::string plugin;        // empty: the proxy itself
  std::string reason;
  std::string sqlstate;
  std::string detail;
  std::string hint;
  std::string fault;  // on_error: what the plugin failed with
  std::string user;
  std::string database;
  std::string tenant;
  std::string client;  // its address; empty: it came by a Unix socket
  std::string application_name;
  std::string_view statement_kind;           // static storage; empty: not known
  std::optional<std::uint64_t> fingerprint;  // of the statement
  hooks::DecidedBy decided_by = hooks::DecidedBy::rule;
  bool is_login = false;  // of a client that was not let in
  std::string_view cap;   // the limit at which an answer was cut, as to_word(CapKind); empty: none
};

// Takes records. Thread rule: any thread. Called for refusals only, so it may lock.
class RefusalSink {
 public:
  virtual ~RefusalSink() = default;
  virtual void note(RefusalRecord record) = 0;
  // A client did not get in, and not by a decision of the proxy's: the server has said no, or the login did not come to its end.
  virtual void note_failed_login(RefusalRecord record, bool by_server) = 0;
};

// Gives a refusal its cause, which the client is told, and notes it. Once: one that has a cause is returned as it is, and
// so is one that refuses nothing (a cancelled statement, a message that breaks the protocol), or where nobody keeps records.
// `run`: the statement; null: none is known. `decision`: of the plugins; null: a rule of the proxy.
[[nodiscard]] Refusal note_refusal(SessionContext& context, Refusal refusal,
                                   const StatementRun* run = nullptr,
                                   const hooks::ChainResult* decision = nullptr);

// Of an answer that was cut: what the client is told as its end. `run`: as above. `is_completed`: the server was faster than
// the cancel, and what the statement did is committed.
[[nodiscard]] Refusal note_cut(SessionContext& context, const CutAnswer& cut,
                               const StatementRun* run, bool is_completed);

// The same for a client that is not let in.
[[nodiscard]] Refusal note_denied_login(Environment& environment, const Identity& identity,
                                        Refusal refusal, const hooks::ChainResult* decision);

// Notes that the server has answered a login with this error. The client is told by the server.
void note_rejected_login(Environment& environment, const Identity& identity,
                         const pgwire::ErrorFieldsView& error);

// Notes that a login came to nothing before anybody has decided about it.
void note_unfinished_login(Environment& environment, const Identity& identity,
                           std::string_view sqlstate, std::string_view reason);

}  // namespace helios::session
