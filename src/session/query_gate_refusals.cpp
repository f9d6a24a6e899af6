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

}  // namespace helios::session
