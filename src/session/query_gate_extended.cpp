// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/bound_settings.hpp"
#include "session/prepared.hpp"
#include "session/query_gate.hpp"

#include <utility>

// What the gate does for the extended protocol, and for the SQL statements that share its names.

namespace helios::session {

namespace state = pgwire::sqlstate;
using sql::NameOp;

bool QueryGate::start_parse(std::string_view text, std::string_view types) {
  begin(Subject::parse);
  run_->own_text = text;
  run_->text = run_->own_text;
  run_->held_bytes += run_->own_text.capacity();
  types_ = types;
  return advance();
}

bool QueryGate::start_execute(std::shared_ptr<const Portal> portal) {
  begin(Subject::execute);
  run_->text = portal->statement->text;
  analysis_ = portal->statement->analysis;
  rules_ = portal->statement->rules;
  run_->portal = std::move(portal);
  return advance();
}

bool QueryGate::start_function_call(bool may_change_settings) {
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

// A Parse runs nothing: its hooks run when it is executed.
void QueryGate::finish_parse() {
  if (analysis_->statements.size() == 1 && analysis_->has_kv_calls) {
    run_->statements.resize(1);
    run_->statements[0].statement = &analysis_->statements[0];
    run_->statements[0].analysis = analysis_;
    if (!expand_kv(run_->statements[0])) return;
    compose_text();
    run_->statements.clear();
  }
  decision_.prepared = view_.environment.statements->intern(run_->text, types_, rules_, analysis_);
  stage_ = Stage::confirm;
}

// What set_config() with parameters changes is known now.
void QueryGate::resolve_parameters() {
  for (StatementRun& run : run_->statements) {
    if (auto resolved = resolve_bound_settings(*run.statement, run_->portal->parameters)) {
      run.own_statement = std::make_unique<const sql::Statement>(std::move(*resolved));
      run.statement = run.own_statement.get();
    }
  }
}

// EXECUTE: hooks see the statement that it runs. False = refused, or the name is not certain yet.
bool QueryGate::find_prepared(StatementRun& run) {
  const sql::Statement& statement = *run.statement;
  const bool is_run = statement.name_op == NameOp::execute && !statement.is_read_only;
  if (!is_run || run.prepared) return true;
  if (statement.is_nested_execute) {
    if (!chain_->may_deny()) return true;
    refuse(state::kFeatureNotSupported,
           "EXECUTE inside of another statement is not supported while plugins are loaded: write "
           "the prepared query in its place");
    return false;
  }
  const auto found = view_.names.statements.find(statement.name, view_.names.unit);
  if (!found.is_certain) {
    stage_ = Stage::wait_for_names;
    return false;
  }
  const bool is_known = found.value && found.value->analysis->statements.size() == 1;
  if (!is_known) {
    if (!chain_->may_deny()) return true;
    // A failed transaction runs nothing, and says so itself.
    if (!view_.replies.empty()) {
      stage_ = Stage::wait_for_names;
      return false;
    }
    if (view_.transaction == pgwire::TransactionStatus::failed) return true;
    refuse(state::kInvalidStatementName,
           "prepared statement \"" + statement.name + "\" does not exist");
    return false;
  }
  if (found.value->analysis->statements[0].name_op == NameOp::execute && chain_->may_deny()) {
    refuse(state::kFeatureNotSupported,
           "EXECUTE of a statement that is an EXECUTE itself is not supported while plugins are "
           "loaded: execute the innermost statement");
    return false;
  }
  run.prepared = found.value;
  const bool has_own_changes = statement.settings.size() != 1;  // in its arguments
  if (!has_own_changes) run.statement = &found.value->analysis->statements[0];
  return true;
}

// The query of a PREPARE or DECLARE.
std::shared_ptr<const PreparedStatement> QueryGate::named_query(const StatementRun& run) const {
  const sql::Statement* statement = run.statement;
  std::string_view text = run.prepared ? std::string_view(run.prepared->text) : run_->text;
  std::shared_ptr<const sql::Analysis> replaced;  // offsets of the client's text are not its
  if (!run.replacement.empty()) {
    text = run.replacement;
    replaced = view_.environment.analyzer->analyze(text, rules_);
    if (replaced->statements.size() != 1) return nullptr;
    statement = &replaced->statements[0];
  }
  const std::string_view query =
      text.substr(statement->query_begin, statement->end - statement->query_begin);
  StatementPool& pool = *view_.environment.statements;
  if (auto known = pool.find(query, {}, rules_)) return known;
  return pool.intern(query, {}, rules_, view_.environment.analyzer->analyze(query, rules_));
}

// What the statement does to names, once it has succeeded; later statements of the message meet it
// already.
void QueryGate::note_names(StatementRun& run) {
  Names& names = view_.names;
  const sql::Statement& statement = *run.statement;
  switch (statement.name_op) {
    case NameOp::none:
    case NameOp::execute: return;
    case NameOp::prepare:
      run.names.statement = names.statements.define(statement.name, named_query(run), names.unit);
      return;
    case NameOp::deallocate:
      run.names.statement = names.statements.define(statement.name, nullptr, names.unit);
      return;
    case NameOp::deallocate_all: run.names.statement = names.statements.end_all(names.unit); return;
    case NameOp::declare: {
      auto portal = std::make_shared<Portal>();
      portal->statement = named_query(run);
      portal->is_declared = true;
      portal->is_holdable = statement.is_holdable;
      run.names.portal = names.portals.define(statement.name, std::move(portal), names.unit);
      return;
    }
    case NameOp::close:
      run.names.portal = names.portals.define(statement.name, nullptr, names.unit);
      return;
    case NameOp::close_all: run.names.portal = names.portals.end_all(names.unit); return;
    case NameOp::discard_all:
      run.names.statement = names.statements.end_all(names.unit);
      run.names.portal = names.portals.end_all(names.unit);
      return;
  }
}

}  // namespace helios::session
