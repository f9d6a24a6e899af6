// SPDX-License-Identifier: Apache-2.0
#include "session/blocking.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/objections.hpp"

#include <string>

namespace helios::session {

namespace fe = pgwire::frontend;
namespace state = pgwire::sqlstate;
using blocks::Block;
using blocks::BlockSet;
using blocks::Kind;

namespace {

constexpr std::string_view kTenantHint = "SET helios.tenant_id to a constant.";
constexpr std::string_view kAgentHint = "SET helios.agent_id to a constant.";

Refusal refusal_of_unknown(Kind kind) {
  const std::string word(blocks::to_word(kind));
  return {.sqlstate = std::string(state::kInsufficientPrivilege),
          .message = "some " + word + "s are blocked, and nobody knows the " + word +
                     " of this session: it was changed in a way that the proxy cannot follow. " +
                     std::string(kind == Kind::tenant ? kTenantHint : kAgentHint)};
}

// Somebody of whom it is not known who it is may be the one. Where nobody has read what was sent that would be everybody.
std::optional<Kind> unknown_kind(const SessionContext& context, const Settings& settings,
                                 const BlockSet& set) {
  const bool matters = context.environment.config->tenant.unknown == config::Policy::deny;
  if (!matters || settings.is_unread()) return std::nullopt;
  const Identity& identity = context.identity;
  const bool is_tenant_unknown = settings.tenant_unknown() && !identity.has_fixed_tenant();
  if (is_tenant_unknown && set.count(Kind::tenant) != 0) return Kind::tenant;
  const bool is_agent_unknown = settings.agent_unknown() && !identity.has_fixed_agent();
  if (is_agent_unknown && set.count(Kind::agent) != 0) return Kind::agent;
  return std::nullopt;
}

struct Objection {
  Kind kind;
  const Block* block;  // null: nobody knows whether there is one
};

// The session's own settings are mostly those of last time, and so are the blocks.
std::optional<Objection> find_objection(const SessionContext& context, const Settings& settings) {
  const BlockSet& set = *context.environment.blocks;
  const ClearOfBlocks now{.blocks = set.number(), .settings = settings.revision()};
  const bool is_own = &settings == &context.settings;
  if (is_own && context.clear_of_blocks == now) return std::nullopt;
  if (const Block* block = set.find(context.identity.names(settings)))
    return Objection{block->kind, block};
  if (const auto unknown = unknown_kind(context, settings, set))
    return Objection{*unknown, nullptr};
  if (is_own) context.clear_of_blocks = now;
  return std::nullopt;
}

// Whose turn it is to run, or to be asked for rows.
bool is_to_run(const InFlight& message) {
  const char request = message.expect.request;
  return request == fe::kQuery || request == fe::kExecute || request == fe::kFunctionCall;
}

// The block that one of the statements still to come will meet. `settings` run ahead of the server.
const Block* block_ahead(const Identity& identity, const BlockSet& set, QueryRun& run,
                         Settings& settings) {
  const StatementRun* const end = run.statements.data() + run.statements.size();
  for (const StatementRun* each = run.present(); each != nullptr && each != end; ++each) {
    settings.begin();
    apply_statement(*each->statement, false, settings);
    if (const Block* block = set.find(identity.names(settings))) return block;
  }
  return nullptr;
}

}  // namespace

std::optional<Refusal> objection_to_blocked_login(Environment& environment,
                                                  const blocks::Names& names) {
  const Block* block = environment.blocks == nullptr ? nullptr : environment.blocks->find(names);
  if (block == nullptr) return std::nullopt;
  environment.counters->note_blocked(block->kind);
  return Refusal{std::string(state::kInvalidAuthorization), blocks::explanation(*block)};
}

std::optional<Refusal> objection_to_blocked(const SessionContext& context, const Settings& settings,
                                            const sql::Statement* statement) {
  if (!blocks_concern_statements(context.environment)) return std::nullopt;
  const std::optional<Objection> objection = find_objection(context, settings);
  if (!objection) return std::nullopt;
  // PREPARE has the server read a text, which calls the input functions of its constants.
  const bool may_run = statement != nullptr && statement->name_op != sql::NameOp::prepare &&
                       may_run_without_tenant(*statement);
  if (may_run) return std::nullopt;
  context.environment.counters->note_blocked(objection->kind);
  if (objection->block == nullptr) return refusal_of_unknown(objection->kind);
  return Refusal{std::string(state::kInsufficientPrivilege),
                 blocks::explanation(*objection->block)};
}

bool may_be_blocked(const SessionContext& context) {
  return blocks_concern_statements(context.environment) &&
         (context.in_flight.touches_session() || find_objection(context, context.settings));
}

const Block* block_of_session(SessionContext& context, QueryRun* judged) {
  const BlockSet* set = context.environment.blocks.get();
  if (set == nullptr) return nullptr;
  const Identity& identity = context.identity;
  const Block* block = set->find(identity.names(context.settings));
  if (block != nullptr || !set->concerns_statements()) return block;
  if (!context.in_flight.touches_session() && judged == nullptr) return nullptr;
  Settings ahead = context.settings;
  context.in_flight.for_each([&](const InFlight& message) {
    QueryRun* run = is_to_run(message) ? message.present_run() : nullptr;
    if (block == nullptr && run != nullptr) block = block_ahead(identity, *set, *run, ahead);
  });
  if (block == nullptr && judged != nullptr) block = block_ahead(identity, *set, *judged, ahead);
  return block;
}

std::string farewell_of(const Block& block) {
  return "terminating connection due to administrator command: " + blocks::explanation(block);
}

}  // namespace helios::session
