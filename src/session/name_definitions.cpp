// SPDX-License-Identifier: Apache-2.0
#include "session/name_definitions.hpp"

#include "session/names.hpp"
#include "session/prepared.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace helios::session {

using sql::NameOp;

namespace {

// The query of a PREPARE or DECLARE.
std::shared_ptr<const PreparedStatement> named_query(const SessionContext& context,
                                                     const QueryRun& message,
                                                     const StatementRun& run,
                                                     sql::ReadingRules rules) {
  const Environment& environment = context.environment;
  const sql::Statement* statement = run.statement;
  std::string_view text = run.prepared ? std::string_view(run.prepared->text) : message.text;
  std::shared_ptr<const sql::Analysis> replaced;  // offsets of the client's text are not its
  if (!run.replacement.empty()) {
    text = run.replacement;
    replaced = environment.analyzer->analyze(text, rules);
    if (replaced->statements.size() != 1) return nullptr;
    statement = &replaced->statements[0];
  }
  const std::string_view query =
      text.substr(statement->query_begin, statement->end - statement->query_begin);
  return environment.statements->intern(query, {}, rules, statement->query);
}

std::shared_ptr<Portal> declared_cursor(std::shared_ptr<const PreparedStatement> query,
                                        bool is_holdable, const AnswerCaps& caps) {
  auto bound = std::make_shared<BoundStatement>();
  bound->statement = std::move(query);
  bound->is_declared = true;
  auto portal = std::make_shared<Portal>();
  portal->bound = std::move(bound);
  portal->is_holdable = is_holdable;
  portal->caps = caps;
  return portal;
}

}  // namespace

// Later statements of a Query meet it already.
NameChanges note_names(SessionContext& context, const QueryRun& message,
                       const StatementRun& statement, sql::ReadingRules rules) {
  const sql::Statement& what = *statement.statement;
  NameLog<const PreparedStatement>& statements = context.names.statements;
  NameLog<Portal>& portals = context.names.portals;
  const std::uint64_t unit = context.link->unit();
  NameChanges changes;
  switch (what.name_op) {
    case NameOp::none:
    case NameOp::fetch:
    case NameOp::execute: break;
    case NameOp::prepare:
      changes.statement =
          statements.define(what.name, named_query(context, message, statement, rules), unit);
      break;
    case NameOp::deallocate: changes.statement = statements.define(what.name, nullptr, unit); break;
    case NameOp::deallocate_all: changes.statement = statements.end_all(unit); break;
    case NameOp::declare:
      changes.portal =
          portals.define(what.name,
                         declared_cursor(named_query(context, message, statement, rules),
                                         what.is_holdable, statement.caps),
                         unit);
      break;
    case NameOp::close: changes.portal = portals.define(what.name, nullptr, unit); break;
    case NameOp::close_all: changes.portal = portals.end_all(unit); break;
    case NameOp::discard_all:
      changes.statement = statements.end_all(unit);
      changes.portal = portals.end_all(unit);
      break;
  }
  return changes;
}

}  // namespace helios::session
