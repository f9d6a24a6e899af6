// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/bound_settings.hpp"
#include "session/names.hpp"
#include "session/objections.hpp"
#include "session/refusal_records.hpp"
#include "session/statement_judge.hpp"
#include "session/text_maker.hpp"
#include "sql/redact.hpp"

#include <algorithm>
#include <utility>

// What the judge does for the extended protocol, and for the SQL statements that share its names.

namespace helios::session {

namespace state = pgwire::sqlstate;
using sql::NameOp;

bool StatementJudge::start_parse(std::string_view text, std::string_view types) {
  begin(Subject::parse);
  run_->own_text = text;
  run_->text = run_->own_text;
  run_->held_bytes += run_->own_text.capacity();
  types_ = types;
  return advance();
}

bool StatementJudge::start_portal(std::shared_ptr<const BoundStatement> bound) {
  begin_bound(Subject::portal, std::move(bound));
  return advance();
}

bool StatementJudge::changes_settings() const {
  return std::ranges::any_of(run_->statements, [](const StatementRun& run) {
    const bool is_known = run.statement->name_op != NameOp::execute || run.prepared;
    if (!is_known) return !run.statement->settings.empty();
    return changes_settings_itself(*run.statement) ||
           (run.prepared && changes_settings_itself(run.prepared->analysis->statements[0]));
  });
}

void StatementJudge::begin_bound(Subject subject, std::shared_ptr<const BoundStatement> bound) {
  begin(subject);
  run_->text = bound->statement->text;
  analysis_ = bound->statement->analysis;
  rules_ = bound->statement->rules;
  run_->bound = std::move(bound);
}

bool StatementJudge::start_function_call(std::shared_ptr<const BoundStatement> bound,
                                         bool may_change_settings) {
  if (bound) {
    begin_bound(Subject::function_call, std::move(bound));
    return advance();
  }
  begin(Subject::function_call);
  auto analysis = std::make_shared<sql::Analysis>();
  analysis->parsed = true;
  sql::Statement call;
  if (may_change_settings) {
    call.settings.push_back({.kind = sql::SettingChange::Kind::unknown, .name = {}, .value = {}});
    analysis->touches_session = true;
  }
  analysis->statements.push_back(std::move(call));
  analysis_ = std::move(analysis);
  return advance();
}

// A Parse runs nothing: its hooks run when it is bound.
void StatementJudge::finish_parse() {
  if (analysis_->statements.size() == 1 && analysis_->has_kv_calls) {
    run_->statements.resize(1);
    run_->statements[0].statement = &analysis_->statements[0];
    run_->statements[0].analysis = analysis_;
    if (!put_kv(run_->statements[0])) return;
    decision_.new_text = compose_text(*run_, analysis_);
    run_->statements.clear();
  }
  decision_.prepared =
      context_.environment.statements->intern(run_->text, types_, rules_, analysis_);
  stage_ = Stage::confirm;
}

// What set_config() with parameters changes is known now.
void StatementJudge::resolve_parameters() {
  for (StatementRun& run : run_->statements) {
    if (auto resolved = resolve_bound_settings(*run.statement, run_->bound->parameters)) {
      run.own_statement = std::make_unique<const sql::Statement>(std::move(*resolved));
      run.statement = run.own_statement.get();
    }
  }
}

// EXECUTE: hooks see the statement that it runs. False = refused, or the name is not certain yet.
bool StatementJudge::find_prepared(StatementRun& run) {
  const sql::Statement& execute = *run.statement;
  const bool is_run = execute.name_op == NameOp::execute && !execute.is_read_only;
  if (!is_run || run.prepared) return true;
  if (!admit(objection_to_execute(grounds(), execute, nullptr))) return false;
  if (execute.is_nested_execute) return true;
  const auto found = context_.names.statements.find(execute.name, context_.link->unit());
  if (!found.is_certain) {
    stage_ = Stage::wait_for_certainty;
    return false;
  }
  const bool is_known = found.value && found.value->analysis->statements.size() == 1;
  if (!is_known) return !chain_->may_deny() || refuse_unknown(run);
  const sql::Statement& named = found.value->analysis->statements[0];
  if (!admit(objection_to_execute(grounds(), execute, &named))) return false;
  adopt_prepared(run, found.value);
  return true;
}

// False = refused, or whether the transaction has failed is not certain yet.
bool StatementJudge::refuse_unknown(StatementRun& run) {
  const std::string message = "prepared statement \"" + run.statement->name + "\" does not exist";
  if (subject_ == Subject::query && next_ > 0) {
    fail_at_server(run, state::kInvalidStatementName, message);
    return false;
  }
  if (!context_.link->owed().empty()) {
    stage_ = Stage::wait_for_certainty;
    return false;
  }
  // A failed transaction runs nothing, and says so itself.
  if (context_.link->transaction() == pgwire::TransactionStatus::failed) return true;
  refuse(state::kInvalidStatementName, message);
  return false;
}

// It fails in its turn, as it would have done by itself: what stands in front of it runs, and nothing behind.
void StatementJudge::fail_at_server(StatementRun& run, std::string_view sqlstate,
                                    std::string message) {
  run.replacement = kFailingStatement;
  run.refusal = std::make_unique<Refusal>(
      note_refusal(context_, Refusal{std::string(sqlstate), std::move(message)}, &run));
  run_->statements.resize(next_ + 1);
  ++next_;
}

// What runs is the prepared statement, behind what the arguments of the EXECUTE change.
void StatementJudge::adopt_prepared(StatementRun& run,
                                    std::shared_ptr<const PreparedStatement> prepared) {
  using Kind = sql::SettingChange::Kind;
  run.prepared = std::move(prepared);
  run.execute = analysis_;
  const sql::Statement& runs = run.prepared->analysis->statements[0];
  std::vector<sql::SettingChange> changes = run.statement->settings;
  std::erase_if(changes, [](const auto& change) { return change.kind == Kind::recalled; });
  if (changes.empty()) {
    run.statement = &runs;
    return;
  }
  auto whole = std::make_unique<sql::Statement>(runs);
  whole->settings.insert(whole->settings.begin(), changes.begin(), changes.end());
  run.own_statement = std::move(whole);
  run.statement = run.own_statement.get();
}

// What its hooks are shown.
void StatementJudge::make_execution(StatementRun& run) {
  Environment& environment = context_.environment;
  auto execution = environment.recycler->make_execution();
  execution->id = environment.next_statement_id;
  environment.next_statement_id += environment.statement_id_step;
  ++environment.counters->statements;
  const sql::Statement& statement = *run.statement;
  // Offsets belong to the text in which they were found: EXECUTE may keep changes of its own.
  const sql::Statement& shown = run.prepared ? run.prepared->analysis->statements[0] : statement;
  const std::string_view text = run.prepared ? std::string_view(run.prepared->text) : run_->text;
  execution->text = text.substr(shown.begin, shown.end - shown.begin);
  const sql::ReadingRules& rules = run.prepared ? run.prepared->rules : rules_;
  if (rules.encoding_is_ascii_safe) {
    execution->fingerprint_of = &sql::fingerprint;
    execution->redact_text = &sql::redact_while;
  }
  execution->redact_message = &sql::redact_message;
  execution->standard_conforming_strings = rules.standard_conforming_strings;
  execution->is_read_only = shown.is_read_only;
  execution->manages_session = statement.is_session_statement;
  if (run_->bound) execution->parameters = run_->bound->parameters;
  if (subject_ == Subject::function_call) {
    execution->origin = hooks::Origin::function_call;
  } else if (run_->bound) {
    execution->origin = hooks::Origin::execute;
  }
  if (run.prepared) show_execute(analysis_->statements[next_], *execution);
  execution->context = context_.identity.context(settings(), ahead_ != nullptr);
  execution->is_tenant_unknown = may_work(statement) && hides_tenant(grounds());
  execution->chain = chain_;
  run_->held_bytes += sizeof(hooks::StatementExecution);
  run.execution = std::move(execution);
}

void StatementJudge::show_execute(const sql::Statement& execute,
                                  hooks::StatementExecution& out) const {
  out.execute_text = run_->text.substr(execute.begin, execute.end - execute.begin);
  auto parameters = parameters_of(execute);
  out.are_parameters_known = parameters.has_value();
  out.parameters = std::move(parameters).value_or(std::vector<hooks::Parameter>());
}

}  // namespace helios::session
