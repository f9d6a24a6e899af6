// SPDX-License-Identifier: Apache-2.0
#include "session/objections.hpp"

#include "pgwire/sqlstate.hpp"
#include "session/blocking.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

namespace state = pgwire::sqlstate;
using config::Policy;
using sql::NameOp;

namespace {

Refusal not_supported(std::string message) {
  return {std::string(state::kFeatureNotSupported), std::move(message)};
}

// What stood under the name was judged. FETCH would run what stands there then.
bool ends_what_a_portal_executes(const Grounds& grounds, const sql::Statement& statement) {
  if (!grounds.chain.may_deny()) return false;
  switch (statement.name_op) {
    case NameOp::deallocate: return grounds.context.names.is_executed(statement.name);
    case NameOp::deallocate_all:
    case NameOp::discard_all: return grounds.context.names.is_executed({});
    default: return false;
  }
}

}  // namespace

bool hides_tenant(const Grounds& grounds) {
  return grounds.settings.tenant_unknown() && !grounds.context.identity.has_fixed_tenant() &&
         grounds.config.tenant.unknown == Policy::deny;
}

bool may_run_without_tenant(const sql::Statement& statement) {
  if (statement.is_session_statement) return true;
  const sql::Facts& facts = statement.facts;
  const bool is_bare = facts.kind == sql::StatementKind::select && !facts.has_more_relations &&
                       facts.relations.empty() && !facts.has_more_functions;
  if (!is_bare || statement.settings.empty()) return false;
  const bool calls_nothing_else =
      std::ranges::all_of(facts.functions, [](const sql::Function& function) {
        return function.name == "set_config" &&
               (function.schema.empty() || function.schema == "pg_catalog");
      });
  using Kind = sql::SettingChange::Kind;
  return calls_nothing_else &&
         std::ranges::all_of(statement.settings, [](const sql::SettingChange& change) {
           return (change.kind == Kind::set || change.kind == Kind::set_local) &&
                  change.name == kTenantSetting;
         });
}

std::optional<Refusal> objection_to_no_tenant(const Identity& identity, const config::Tenant& rules,
                                              const Settings& settings,
                                              const sql::Statement& statement) {
  using Op = sql::TransactionOp;
  // Whoever has had a tenant may have left work for the COMMIT.
  const bool may_be_work = settings.uses_tenant() && (statement.transaction == Op::commit ||
                                                      statement.transaction == Op::prepare);
  if (!rules.required || (may_run_without_tenant(statement) && !may_be_work)) return std::nullopt;
  if (!identity.names(settings).tenant.empty()) return std::nullopt;
  return identity.objection_to_no_tenant();
}

std::optional<Refusal> objection_to(const Grounds& grounds, const sql::Statement& statement) {
  if (auto refusal = objection_to_blocked(grounds.context, grounds.settings, &statement))
    return refusal;
  if (auto refusal = grounds.context.identity.objection_to(statement)) return refusal;
  if (auto refusal = objection_to_no_tenant(grounds.context.identity, grounds.config.tenant,
                                            grounds.settings, statement))
    return refusal;
  if (!grounds.chain.has_hooks() || !hides_tenant(grounds) || statement.is_session_statement)
    return std::nullopt;
  // Where no tenant was ever set, only a plugin that asks for one makes a difference.
  if (!grounds.settings.uses_tenant() && !grounds.chain.looks_at_tenant()) return std::nullopt;
  return Refusal{
      std::string(state::kInsufficientPrivilege),
      "the tenant of this session is unknown: helios.tenant_id was changed in a way that "
      "the proxy cannot follow; SET it to a constant"};
}

// Clients can read the link's own name in pg_prepared_statements; what stands under it must fail.
std::optional<Refusal> objection_to_names(const Grounds& grounds, const sql::Statement& statement) {
  if (statement.name == grounds.context.link->own_name()) return refusal_of_reserved_name();
  if (ends_what_a_portal_executes(grounds, statement)) return refusal_of_executed_name();
  const bool matters = grounds.chain.may_deny() || grounds.context.restricts_settings();
  if (!matters || (is_certain_name(statement.name) && is_certain_name(statement.savepoint))) {
    return std::nullopt;
  }
  return refusal_of_uncertain_name();
}

std::optional<Refusal> objection_to_execute(const Grounds& grounds, const sql::Statement& execute,
                                            const sql::Statement* named) {
  if (!grounds.chain.may_deny()) return std::nullopt;
  if (execute.is_nested_execute) {
    return not_supported(
        "EXECUTE inside of another statement is not supported while plugins are loaded: write "
        "the prepared query in its place");
  }
  if (named == nullptr) return std::nullopt;
  if (named->name_op == NameOp::execute) {
    return not_supported(
        "EXECUTE of a statement that is an EXECUTE itself is not supported while plugins are "
        "loaded: execute the innermost statement");
  }
  // The server ends the transaction only with the whole message then.
  if (named->transaction != sql::TransactionOp::none) {
    return not_supported(
        "EXECUTE of a transaction command is not supported while plugins are loaded: write the "
        "command itself");
  }
  // The server evaluates the arguments first: the statement would run under another tenant than hooks are told.
  if (changes_settings_itself(execute)) {
    return not_supported(
        "EXECUTE with an argument that changes a setting is not supported while plugins are "
        "loaded: change the setting in a statement of its own");
  }
  if (grounds.config.protocol.execute_arguments == Policy::deny && !parameters_of(execute)) {
    return not_supported(
        "EXECUTE with an argument that is not a constant cannot be judged by plugins "
        "([protocol] execute_arguments = \"deny\"): write a constant, or the query itself");
  }
  return std::nullopt;
}

std::optional<Refusal> objection_to_run(const SessionContext& context, const Settings& settings,
                                        const StatementRun& judged) {
  if (auto refusal = objection_to_blocked(context, settings, judged.statement)) return refusal;
  const config::Tenant& rules = context.environment.config->tenant;
  if (auto refusal = objection_to_no_tenant(context.identity, rules, settings, *judged.statement))
    return refusal;
  const bool is_exempt = !judged.execution || judged.is_session_statement;
  if (is_exempt || context.identity.has_fixed_tenant()) return std::nullopt;
  const hooks::StatementExecution& told = *judged.execution;
  const bool is_present =
      &settings == &context.settings && context.identity.is_present(*told.context, settings);
  const auto& told_tenant = told.context->tenant_id;
  const bool is_same =
      is_present || settings.tenant() == (told_tenant ? std::string_view(*told_tenant) : "");
  const bool is_unknown = settings.tenant_unknown() && !told.is_tenant_unknown &&
                          rules.unknown == Policy::deny &&
                          (settings.uses_tenant() || told.chain->looks_at_tenant());
  if (is_same && !is_unknown) return std::nullopt;
  return Refusal{
      std::string(state::kInsufficientPrivilege),
      "the tenant of this session is not, or may not be, the one that plugins were shown "
      "at Bind: bind the portal again"};
}

bool may_work(const sql::Statement& statement) {
  using Op = sql::TransactionOp;
  return !statement.is_session_statement || statement.is_read_only ||
         statement.transaction == Op::commit || statement.transaction == Op::prepare;
}

bool may_read_cursors(const sql::Statement& statement) {
  using Op = sql::TransactionOp;
  if (statement.transaction == Op::commit || statement.transaction == Op::prepare) return true;
  const bool ends_cursor =
      statement.name_op == NameOp::close || statement.name_op == NameOp::close_all;
  return !statement.is_session_statement && statement.transaction == Op::none && !ends_cursor;
}

std::optional<std::vector<hooks::Parameter>> parameters_of(const sql::Statement& execute) {
  std::vector<hooks::Parameter> parameters;
  for (const sql::ExecuteArgument& argument : execute.arguments) {
    if (!argument.is_constant) return std::nullopt;
    parameters.push_back({.type_oid = 0, .is_binary = false, .value = argument.text});
  }
  return parameters;
}

bool changes_settings_itself(const sql::Statement& statement) {
  return std::ranges::any_of(statement.settings, [](const sql::SettingChange& change) {
    return change.kind != sql::SettingChange::Kind::recalled;
  });
}

}  // namespace helios::session
