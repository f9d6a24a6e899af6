// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the blocks in force (Environment::blocks) mean for one session.
//
//   a login       is refused as soon as it is known who it is: user and database with the first packet, a tenant or an
//                 agent where the packet, a rule or an authenticate hook says one
//   a statement   is refused where the session has set a tenant or an agent that is blocked. What does no work passes, so
//                 that the session can become somebody else: statements that only manage it, and a bare set_config() of
//                 the tenant
//   a session     ends when a block comes that it meets: Session::on_blocks()
//
// Pure: nothing here changes the session, but for what it remembers in SessionContext::clear_of_blocks. Where nobody is
// blocked all of it costs one look at a pointer; where no block and no setting has changed since the last statement, two
// numbers more. Nothing allocates, unless it refuses.
//
// Thread rule: the session's.

#include "blocks/block_list.hpp"
#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/session_context.hpp"
#include "session/settings.hpp"
#include "sql/analysis.hpp"

#include <optional>
#include <string>

namespace helios::session {

// Tenants or agents are blocked, so that statements have to be read.
[[nodiscard]] inline bool blocks_concern_statements(const Environment& environment) {
  return environment.blocks != nullptr && environment.blocks->concerns_statements();
}

// Nobody else looks at texts, and what they set has to be followed now. Where a COPY has left it open which answers are
// whose, nobody could: that session goes on as it was. Requires: there is a link.
[[nodiscard]] inline bool reads_for_blocks(const SessionContext& context) {
  return blocks_concern_statements(context.environment) && context.link->is_count_certain();
}

// What the session sends next, unread, may run under a tenant or an agent that is blocked.
[[nodiscard]] bool may_be_blocked(const SessionContext& context);

// To a client that is not in yet and is all of these; nullopt: nothing against it. Counts it.
[[nodiscard]] std::optional<Refusal> objection_to_blocked_login(Environment& environment,
                                                                const blocks::Names& names);

// To running something under `settings`. `statement`: what; null: nobody knows. Counts it.
[[nodiscard]] std::optional<Refusal> objection_to_blocked(const SessionContext& context,
                                                          const Settings& settings,
                                                          const sql::Statement* statement);

// The block that this session meets, now or when the server comes to what it was sent; null: none. `judged`: what is
// about to be sent; null: nothing. Lives as long as the set in force.
[[nodiscard]] const blocks::Block* block_of_session(SessionContext& context, QueryRun* judged);

// What a session that ends for it tells its client.
[[nodiscard]] std::string farewell_of(const blocks::Block& block);

}  // namespace helios::session
