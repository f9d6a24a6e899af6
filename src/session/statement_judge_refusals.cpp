// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/objections.hpp"
#include "session/refusal_records.hpp"
#include "session/statement_judge.hpp"

#include <utility>

// How the judge refuses a message, and gives one up.

namespace helios::session {

namespace state = pgwire::sqlstate;

void StatementJudge::cancel() {
  is_cancelled_ = true;
  if (stage_ == Stage::pre_query && pre_query_ && pre_query_->pending()) pre_query_->cancel();
}

// What became of a hook is looked at first.
bool StatementJudge::is_judging() const {
  switch (stage_) {
    case Stage::wait_for_answers:
    case Stage::parse:
    case Stage::judge:
    case Stage::wait_for_certainty:
    case Stage::confirm: return true;
    case Stage::idle:
    case Stage::pre_query:
    case Stage::settle:
    case Stage::decided: return false;
  }
  return false;
}

void StatementJudge::refuse_cancelled() {
  refuse(state::kQueryCanceled, "canceling statement due to user request");
}

void StatementJudge::refuse(std::string_view sqlstate, std::string message, std::size_t position) {
  refuse(Refusal{std::string(sqlstate), std::move(message), position}, nullptr);
}

// `decision`: of the plugins; null: a rule.
void StatementJudge::refuse(Refusal refusal, const hooks::ChainResult* decision) {
  const bool has_statement = next_ < run_->statements.size();
  decision_.refusal = note_refusal(context_, std::move(refusal),
                                   has_statement ? &run_->statements[next_] : nullptr, decision);
  run_->refuse(decision_.refusal->sqlstate, decision_.refusal->message, context_.names);
  settle();
}

// False = refused.
bool StatementJudge::admit(std::optional<Refusal> objection) {
  if (objection) refuse(objection->sqlstate, std::move(objection->message));
  return !objection;
}

// The message does not reach the server: its post_query hooks run now, or go on.
void StatementJudge::settle() {
  std::vector<std::unique_ptr<QueryRun>> runs;
  settling_hooks_.make_room();
  if (run_) runs.push_back(std::move(run_));
  stage_ = Stage::settle;
  if (settling_hooks_.start(runs, nullptr) == hooks::RunStatus::pending) elsewhere_.await();
}

// FETCH and MOVE run a portal that was judged at its Bind. False = refused, or not certain yet.
bool StatementJudge::may_fetch(StatementRun& run) {
  if (run.statement->name_op != sql::NameOp::fetch) return true;
  const auto portal = context_.names.portals.find(run.statement->name, context_.link->unit());
  if (!portal.is_certain) {
    stage_ = Stage::wait_for_certainty;
    return false;
  }
  if (portal.value && !portal.value->caps.empty()) {
    run.caps.add(portal.value->caps);
    decision_.is_bounded = true;
  }
  const bool was_judged = portal.value && portal.value->run && !portal.value->run->is_finished();
  if (!was_judged) return true;
  return admit(objection_to_run(context_, settings(), portal.value->run->statements.front()));
}

// A function that it calls may run a portal that was judged at its Bind: no text shows which. False = refused, or not certain
// yet.
bool StatementJudge::may_call_functions(const StatementRun& run) {
  if (context_.names.portals.size() == 0) return true;  // nearly always
  if (!may_read_cursors(*run.statement)) return true;
  auto refusal = objection_to_cursors();
  if (refusal && !context_.link->owed().empty()) {  // it may be closed by then
    stage_ = Stage::wait_for_certainty;
    return false;
  }
  return admit(std::move(refusal));
}

// To a portal that has not begun to run, and may not under the settings that there are now.
std::optional<Refusal> StatementJudge::objection_to_cursors() const {
  const bool is_any = context_.names.portals.any_of([this](const Portal& portal) {
    return portal.run && !portal.run->is_finished() && !portal.run->is_suspended() &&
           objection_to_run(context_, settings(), portal.run->statements.front());
  });
  if (!is_any) return std::nullopt;
  return Refusal{
      std::string(state::kInsufficientPrivilege),
      "a function may read a cursor that was bound or declared under another tenant: close that "
      "cursor first"};
}

// What its plugins let pass of its answer. Their own rows, and the data of COPY FROM, are no answer of the server. False =
// refused.
bool StatementJudge::bound_answer(StatementRun& run) {
  if (!run.execution || !run.execution->limits || subject_ == Subject::function_call) return true;
  if (run.execution->answer) {
    run.caps = {};
    return true;
  }
  if (!analysis_->parsed) {
    refuse(
        state::kFeatureNotSupported,
        "a plugin limits the answer of a text that the grammar cannot read: nobody can say which "
        "statements are in it");
    return false;
  }
  if (run.statement->reads_copy_data) return true;
  run.caps.add(std::make_shared<AnswerCap>(*run.execution->limits));
  run_->held_bytes += run.caps.held_bytes();
  decision_.is_bounded = true;
  return true;
}

// How a Query with caps is sent. False = refused.
bool StatementJudge::plan_bounded() {
  if (!admit(objection_to_pieces(*context_.link, *run_))) return false;
  decision_.pieces = plan_pieces(*context_.link, *run_, analysis_);
  decision_.pieces.rules = rules_;
  return true;
}

// An error that is still to come undoes what the open block has set, and nothing but transaction commands runs behind it.
bool StatementJudge::awaits_block(const sql::Statement& statement) const {
  return next_ == 0 && statement.transaction != sql::TransactionOp::none &&
         chain_->wants_all_statements() && !context_.link->owed().empty() &&
         context_.settings.has_uncommitted();
}

}  // namespace helios::session
