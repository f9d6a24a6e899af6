// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/query_gate.hpp"

#include <utility>

// How the gate refuses a message, and gives one up.

namespace helios::session {

namespace state = pgwire::sqlstate;

void QueryGate::cancel() {
  is_cancelled_ = true;
  if (stage_ == Stage::pre_query && pre_query_ && pre_query_->pending()) pre_query_->cancel();
}

// What became of a hook is looked at first.
bool QueryGate::is_judging() const {
  switch (stage_) {
    case Stage::wait_for_answers:
    case Stage::parse:
    case Stage::judge:
    case Stage::wait_for_names:
    case Stage::confirm: return true;
    case Stage::idle:
    case Stage::pre_query:
    case Stage::settle:
    case Stage::decided: return false;
  }
  return false;
}

void QueryGate::refuse_cancelled() {
  refuse(state::kQueryCanceled, "canceling statement due to user request");
}

void QueryGate::refuse(std::string_view sqlstate, std::string message, std::size_t position) {
  run_->refuse(sqlstate, message, view_.names);
  decision_.refusal = Refusal{std::string(sqlstate), std::move(message), position};
  settle();
}

// The message does not reach the server: its post_query hooks run now, or go on.
void QueryGate::settle() {
  std::vector<std::unique_ptr<QueryRun>> runs;
  if (run_) runs.push_back(std::move(run_));
  stage_ = Stage::settle;
  waiting_elsewhere_ = settling_hooks_.start(runs, nullptr) == hooks::RunStatus::pending;
}

// What stood under the name was judged. FETCH would run what stands there then.
bool QueryGate::ends_what_a_portal_executes(const sql::Statement& statement) const {
  using Op = sql::NameOp;
  if (!chain_->may_deny()) return false;
  switch (statement.name_op) {
    case Op::deallocate: return view_.names.is_executed(statement.name);
    case Op::deallocate_all:
    case Op::discard_all: return view_.names.is_executed({});
    default: return false;
  }
}

// Clients can read the link's own name in pg_prepared_statements; what stands under it must fail.
std::optional<Refusal> QueryGate::objection_to_names(const sql::Statement& statement) const {
  if (statement.name == view_.link->own_name()) return refusal_of_reserved_name();
  if (ends_what_a_portal_executes(statement)) return refusal_of_executed_name();
  const bool matters = chain_->may_deny() || view_.identity.restricts_tenant();
  if (!matters || (is_certain_name(statement.name) && is_certain_name(statement.savepoint))) {
    return std::nullopt;
  }
  return refusal_of_uncertain_name();
}

std::optional<Refusal> QueryGate::objection_to_run(const StatementRun& judged,
                                                   const Settings& settings) const {
  const bool is_exempt = !judged.execution || judged.is_session_statement;
  if (is_exempt || view_.identity.has_pinned_tenant()) return std::nullopt;
  const hooks::StatementExecution& told = *judged.execution;
  const auto context = view_.identity.context(settings, &settings != &view_.settings);
  const bool is_same = context == told.context || context->tenant_id == told.context->tenant_id;
  const bool is_unknown = settings.tenant_unknown() && !told.is_tenant_unknown &&
                          view_.environment.config->tenant.unknown == config::Policy::deny &&
                          (settings.uses_tenant() || told.chain->looks_at_tenant());
  if (is_same && !is_unknown) return std::nullopt;
  return Refusal{
      std::string(state::kInsufficientPrivilege),
      "the tenant of this session is not, or may not be, the one that plugins were shown "
      "at Bind: bind the portal again"};
}

// FETCH and MOVE run a portal that was judged at its Bind. False = refused, or not certain yet.
bool QueryGate::may_fetch(const sql::Statement& statement) {
  if (statement.name_op != sql::NameOp::fetch) return true;
  const auto portal = view_.names.portals.find(statement.name, view_.link->unit());
  if (!portal.is_certain) {
    stage_ = Stage::wait_for_names;
    return false;
  }
  const bool was_judged = portal.value && portal.value->run && !portal.value->run->is_finished();
  if (!was_judged) return true;
  if (auto refusal = objection_to_run(portal.value->run->statements.front(), settings())) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return false;
  }
  return true;
}

// An error that is still to come undoes what the open block has set, and nothing but transaction commands runs behind it.
bool QueryGate::awaits_block(const sql::Statement& statement) const {
  return next_ == 0 && statement.transaction != sql::TransactionOp::none &&
         chain_->wants_all_statements() && !view_.link->owed().empty() &&
         view_.settings.has_uncommitted();
}

}  // namespace helios::session
