// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/bound_settings.hpp"
#include "session/names.hpp"
#include "session/query_gate.hpp"

#include <algorithm>
#include <utility>

// What the gate does for the extended protocol, and for the SQL statements that share its names.

namespace helios::session {

namespace state = pgwire::sqlstate;
using sql::NameOp;

namespace {

// What an EXECUTE gives as parameters; nullopt: some of them only the server knows. Views into it.
std::optional<std::vector<hooks::Parameter>> parameters_of(const sql::Statement& execute) {
  std::vector<hooks::Parameter> parameters;
  for (const sql::ExecuteArgument& argument : execute.arguments) {
    if (!argument.is_constant) return std::nullopt;
    parameters.push_back({.type_oid = 0, .is_binary = false, .value = argument.text});
  }
  return parameters;
}

// By itself, and not by what an EXECUTE or FETCH runs.
bool changes_by_itself(const sql::Statement& statement) {
  return std::ranges::any_of(statement.settings, [](const sql::SettingChange& change) {
    return change.kind != sql::SettingChange::Kind::recalled;
  });
}

}  // namespace

bool QueryGate::start_parse(std::string_view text, std::string_view types) {
  begin(Subject::parse);
  run_->own_text = text;
  run_->text = run_->own_text;
  run_->held_bytes += run_->own_text.capacity();
  types_ = types;
  return advance();
}

bool QueryGate::start_portal(std::shared_ptr<const BoundStatement> bound) {
  begin_bound(Subject::portal, std::move(bound));
  return advance();
}

bool QueryGate::changes_settings() const {
  return std::ranges::any_of(run_->statements, [](const StatementRun& run) {
    const bool is_known = run.statement->name_op != NameOp::execute || run.prepared;
    if (!is_known) return !run.statement->settings.empty();
    return changes_by_itself(*run.statement) ||
           (run.prepared && changes_by_itself(run.prepared->analysis->statements[0]));
  });
}

void QueryGate::begin_bound(Subject subject, std::shared_ptr<const BoundStatement> bound) {
  begin(subject);
  run_->text = bound->statement->text;
  analysis_ = bound->statement->analysis;
  rules_ = bound->statement->rules;
  run_->bound = std::move(bound);
}

bool QueryGate::start_function_call(std::shared_ptr<const BoundStatement> bound,
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
    if (auto resolved = resolve_bound_settings(*run.statement, run_->bound->parameters)) {
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
  const auto found = view_.names.statements.find(statement.name, view_.link->unit());
  if (!found.is_certain) {
    stage_ = Stage::wait_for_names;
    return false;
  }
  const bool is_known = found.value && found.value->analysis->statements.size() == 1;
  if (!is_known) {
    if (!chain_->may_deny()) return true;
    return refuse_unknown(run);
  }
  const sql::Statement& named = found.value->analysis->statements[0];
  if (named.name_op == NameOp::execute && chain_->may_deny()) {
    refuse(state::kFeatureNotSupported,
           "EXECUTE of a statement that is an EXECUTE itself is not supported while plugins are "
           "loaded: execute the innermost statement");
    return false;
  }
  // The server ends the transaction only with the whole message then.
  if (named.transaction != sql::TransactionOp::none && chain_->may_deny()) {
    refuse(state::kFeatureNotSupported,
           "EXECUTE of a transaction command is not supported while plugins are loaded: write the "
           "command itself");
    return false;
  }
  // The server evaluates the arguments first: the statement would run under another tenant than hooks are told.
  if (chain_->may_deny() && changes_by_itself(statement)) {
    refuse(state::kFeatureNotSupported,
           "EXECUTE with an argument that changes a setting is not supported while plugins are "
           "loaded: change the setting in a statement of its own");
    return false;
  }
  if (chain_->may_deny() && config_->protocol.execute_arguments == config::Policy::deny &&
      !parameters_of(statement)) {
    refuse(state::kFeatureNotSupported,
           "EXECUTE with an argument that is not a constant cannot be judged by plugins "
           "([protocol] execute_arguments = \"deny\"): write a constant, or the query itself");
    return false;
  }
  adopt_prepared(run, found.value);
  return true;
}

// False = refused, or whether the transaction has failed is not certain yet.
bool QueryGate::refuse_unknown(StatementRun& run) {
  const std::string message = "prepared statement \"" + run.statement->name + "\" does not exist";
  if (subject_ == Subject::query && next_ > 0) {
    fail_at_server(run, state::kInvalidStatementName, message);
    return false;
  }
  if (!view_.link->owed().empty()) {
    stage_ = Stage::wait_for_names;
    return false;
  }
  // A failed transaction runs nothing, and says so itself.
  if (view_.link->transaction() == pgwire::TransactionStatus::failed) return true;
  refuse(state::kInvalidStatementName, message);
  return false;
}

// It fails in its turn, as it would have done by itself: what stands in front of it runs, and nothing behind.
void QueryGate::fail_at_server(StatementRun& run, std::string_view sqlstate, std::string message) {
  run.replacement = kFailingStatement;
  run.refusal = std::make_unique<Refusal>(Refusal{std::string(sqlstate), std::move(message)});
  run_->statements.resize(next_ + 1);
  ++next_;
}

// What runs is the prepared statement, behind what the arguments of the EXECUTE change.
void QueryGate::adopt_prepared(StatementRun& run,
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

void QueryGate::show_execute(const sql::Statement& execute, hooks::StatementExecution& out) const {
  out.execute_text = run_->text.substr(execute.begin, execute.end - execute.begin);
  auto parameters = parameters_of(execute);
  out.are_parameters_known = parameters.has_value();
  out.parameters = std::move(parameters).value_or(std::vector<hooks::Parameter>());
}

// The query of a PREPARE or DECLARE.
std::shared_ptr<const PreparedStatement> QueryGate::named_query(const QueryRun& message,
                                                                const StatementRun& run,
                                                                sql::ReadingRules rules) const {
  const sql::Statement* statement = run.statement;
  std::string_view text = run.prepared ? std::string_view(run.prepared->text) : message.text;
  std::shared_ptr<const sql::Analysis> replaced;  // offsets of the client's text are not its
  if (!run.replacement.empty()) {
    text = run.replacement;
    replaced = view_.environment.analyzer->analyze(text, rules);
    if (replaced->statements.size() != 1) return nullptr;
    statement = &replaced->statements[0];
  }
  const std::string_view query =
      text.substr(statement->query_begin, statement->end - statement->query_begin);
  return view_.environment.statements->intern(query, {}, rules, statement->query);
}

// Later statements of a Query meet it already.
NameChanges QueryGate::note_names(const QueryRun& run, const StatementRun& statement,
                                  sql::ReadingRules rules) {
  Names& names = view_.names;
  const std::uint64_t unit = view_.link->unit();
  const sql::Statement& what = *statement.statement;
  NameChanges changes;
  switch (what.name_op) {
    case NameOp::none:
    case NameOp::fetch:
    case NameOp::execute: break;
    case NameOp::prepare:
      changes.statement =
          names.statements.define(what.name, named_query(run, statement, rules), unit);
      break;
    case NameOp::deallocate:
      changes.statement = names.statements.define(what.name, nullptr, unit);
      break;
    case NameOp::deallocate_all: changes.statement = names.statements.end_all(unit); break;
    case NameOp::declare: {
      auto bound = std::make_shared<BoundStatement>();
      bound->statement = named_query(run, statement, rules);
      bound->is_declared = true;
      auto portal = std::make_shared<Portal>();
      portal->bound = std::move(bound);
      portal->is_holdable = what.is_holdable;
      changes.portal = names.portals.define(what.name, std::move(portal), unit);
      break;
    }
    case NameOp::close: changes.portal = names.portals.define(what.name, nullptr, unit); break;
    case NameOp::close_all: changes.portal = names.portals.end_all(unit); break;
    case NameOp::discard_all:
      changes.statement = names.statements.end_all(unit);
      changes.portal = names.portals.end_all(unit);
      break;
  }
  return changes;
}

}  // namespace helios::session
