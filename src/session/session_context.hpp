// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the parts of one session share: who the client is, what its statements are judged by, the link, and the messages
// that are under way on it. Each part changes what the comment beside a member says, and reads the rest.
//
//   Session        the events, the way in, the end
//   Conversation   what the client sends once it is in
//   ExtendedQuery  Parse, Bind, Execute, Close
//   Forwarder      what goes to the server, in the client's words or in others
//   StatementJudge whether a statement may
//   Answers        what the server's answers mean
//
// Thread rule: the session's. Lifetime: it outlives the parts.

#include "backend/link.hpp"
#include "session/actions.hpp"
#include "session/environment.hpp"
#include "session/identity.hpp"
#include "session/in_flight.hpp"
#include "session/names.hpp"
#include "session/settings.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

// How a part ends its session. Both return, and the part goes on; after fail() nothing reaches client or server any more.
class SessionEnd {
 public:
  // FATAL to the client, at once. Does nothing for a session that is ending.
  virtual void fail(std::string_view sqlstate, std::string_view message) = 0;
  // The client's messages cannot be followed any further: it is told when it has its answers to those before.
  virtual void fail_after_answers(std::string_view sqlstate, std::string message) = 0;

 protected:
  ~SessionEnd() = default;
};

// Nobody objected under these blocks and these settings. Numbers: of a set, and Settings::revision().
struct ClearOfBlocks {
  std::uint64_t blocks = 0;  // none
  std::uint64_t settings = 0;
  bool operator==(const ClearOfBlocks&) const = default;
};

struct SessionContext {
  SessionContext(Environment& its_environment, const Peer& peer, SessionEnd& its_end,
                 NameLog<Portal>::Dropped on_portal_dropped)
      : environment(its_environment),
        end(its_end),
        identity(peer),
        names(std::move(on_portal_dropped)) {}

  // No transaction open, nothing owed by the server, nothing held back from the client.
  [[nodiscard]] bool is_idle() const {
    return held_ready.empty() && (link == nullptr || link->is_quiet());
  }
  // Hooks are loaded.
  [[nodiscard]] bool has_hooks() const { return environment.chain->has_hooks(); }
  // Some statements may be objected to for the settings that they change, or for want of a tenant, whoever is loaded.
  [[nodiscard]] bool restricts_settings() const {
    return identity.restricts_settings() || environment.config->tenant.required;
  }
  // Somebody may object to a statement: what nobody has read must not run.
  [[nodiscard]] bool may_deny() const {
    return environment.chain->may_deny() || restricts_settings();
  }

  // The session ends: what waits goes without its ReadyForQuery, which would promise more than is kept.
  void drop_held_ready() {
    constexpr std::size_t kReadyBytes = 6;
    if (held_ready.size() > kReadyBytes)
      actions->to_client.append(held_ready.substr(0, held_ready.size() - kReadyBytes));
    held_ready.clear();
  }

  Environment& environment;
  SessionEnd& end;
  Identity identity;                      // Session
  Actions* actions = nullptr;             // of the present event
  backend::Link* link = nullptr;          // null: none was granted yet
  bool is_replication = false;            // the server reads more than SQL
  InFlightLog in_flight;                  // Forwarder adds, Answers ends
  Settings settings;                      // Answers; Conversation where texts pass unread
  Names names;                            // whoever forwards a message defines, Answers settles
  mutable ClearOfBlocks clear_of_blocks;  // blocking.cpp, which remembers what it has looked up
  // Answers: a ReadyForQuery that waits for post_query, behind the end of its answer; empty = none.
  std::string held_ready;
};

}  // namespace helios::session
