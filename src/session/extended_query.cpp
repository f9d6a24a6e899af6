// SPDX-License-Identifier: Apache-2.0
#include "session/extended_query.hpp"

#include "pgwire/sqlstate.hpp"
#include "session/blocking.hpp"
#include "session/malformed.hpp"
#include "session/name_definitions.hpp"
#include "session/objections.hpp"
#include "session/rebind.hpp"

#include <string>
#include <utility>

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;

namespace {

// Changes of names on their way through the server. A client that sends more waits for answers first.
constexpr std::size_t kMaxPendingNames = 256;

Refusal unknown_statement(std::string_view name) {
  return {std::string(sqlstate::kInvalidStatementName),
          name.empty() ? "unnamed prepared statement does not exist"
                       : "prepared statement \"" + std::string(name) + "\" does not exist"};
}

// What it runs; null: nothing, or nobody knows.
const sql::Statement* statement_of(const Portal* portal) {
  if (portal == nullptr || !portal->bound->statement) return nullptr;
  const auto& statements = portal->bound->statement->analysis->statements;
  return statements.empty() ? nullptr : &statements.front();
}

Refusal changed_statement() {
  return {
      std::string(sqlstate::kInvalidStatementName),
      "the prepared statement that this portal executes is not the one that plugins were shown at "
      "Bind: bind it again"};
}

}  // namespace

bool ExtendedQuery::step() {
  Names& names = context_.names;
  if (names.statements.pending() + names.portals.pending() >= kMaxPendingNames) return false;
  switch (present_.type()) {
    case fe::kParse: return step_parse();
    case fe::kBind: return step_bind();
    case fe::kExecute: return step_execute();
    default: return step_close();
  }
}

// The message was held: it is read anew.
void ExtendedQuery::carry_out(Decision& decision) {
  const std::string_view body = present_.body();
  switch (present_.type()) {
    case fe::kParse: return carry_out_parse(decision, *pgwire::parse_parse(body));
    case fe::kBind: return carry_out_bind(decision, *pgwire::parse_bind(body));
    default: return carry_out_execute(decision, *pgwire::parse_execute(body));
  }
}

// The server may take another name for it, and somebody relies on what runs under it.
bool ExtendedQuery::is_uncertain(std::string_view name) const {
  return !is_certain_name(name) && context_.may_deny();
}

// Each of the next three returns true: the message is done with.

bool ExtendedQuery::refuse(const Refusal& refusal, const pgwire::ParseView* parse) {
  forwarder_.refuse_item(refusal, parse);
  return true;
}

// Where somebody could object, what nobody has seen is neither planned nor run. Mostly it is a name that the
// server does not know either, and the client gets the server's own error.
bool ExtendedQuery::refuse_unseen(const Refusal& refusal) {
  const bool is_restricted = context_.identity.restricts_settings();
  return refuse(is_restricted ? context_.identity.objection_to_hidden_change() : refusal);
}

bool ExtendedQuery::forward_malformed() {
  forwarder_.forward_malformed();
  return true;
}

// ---- Parse, Close ----

bool ExtendedQuery::step_parse() {
  const auto view = pgwire::parse_parse(present_.body());
  if (!view) return forward_malformed();
  if (view->statement == context_.link->own_name())
    return refuse(refusal_of_reserved_name(), &*view);
  if (is_uncertain(view->statement)) return refuse(refusal_of_uncertain_name(), &*view);
  if (context_.names.statements.size() >=
      context_.environment.config->limits.max_prepared_statements) {
    return refuse({std::string(sqlstate::kProgramLimitExceeded),
                   "the session has too many prepared statements "
                   "([limits] max_prepared_statements)"},
                  &*view);
  }
  const bool may_be_blocked = blocks_concern_statements(context_.environment);
  if (may_be_blocked && context_.in_flight.touches_session()) return false;
  if (!judge_.start_parse(view->text, view->types)) return false;
  carry_out_parse(judge_.take_decision(), *view);
  return true;
}

void ExtendedQuery::carry_out_parse(Decision& decision, const pgwire::ParseView& view) {
  if (decision.refusal && !decision.unreadable.empty()) {
    return forwarder_.refuse_unreadable_parse(*decision.refusal, view);
  }
  if (decision.refusal) return forwarder_.refuse_item(*decision.refusal, &view);
  const PreparedStatement* const prepared = decision.prepared.get();
  const bool is_read = prepared != nullptr && !prepared->analysis->statements.empty();
  const sql::Statement* const statement = is_read ? &prepared->analysis->statements[0] : nullptr;
  if (const auto refusal = objection_to_blocked(context_, context_.settings, statement))
    return forwarder_.refuse_item(*refusal, &view);
  backend::Link& link = *context_.link;
  InFlight item(fe::kParse);
  item.ends_unnamed = view.statement.empty();
  item.names.statement =
      context_.names.statements.define(view.statement, std::move(decision.prepared), link.unit());
  if (decision.new_text.empty()) {
    present_.forward_to(link);
  } else {
    link.send(pgwire::serialize_parse(view.statement, decision.take_text(), view.types));
  }
  forwarder_.expect(std::move(item));
}

bool ExtendedQuery::step_close() {
  const auto view = pgwire::parse_target(present_.body());
  if (!view) return forward_malformed();
  if (is_uncertain(view->name)) return refuse(refusal_of_uncertain_name());
  if (!view->is_portal && context_.environment.chain->may_deny() &&
      context_.names.is_executed(view->name)) {
    return refuse(refusal_of_executed_name());
  }
  InFlight item(fe::kClose);
  if (view->is_portal) {
    item.names.portal = context_.names.portals.define(view->name, nullptr, context_.link->unit());
  } else {
    item.names.statement =
        context_.names.statements.define(view->name, nullptr, context_.link->unit());
  }
  forwarder_.forward_as(std::move(item));
  return true;
}

// ---- Bind, Execute ----

bool ExtendedQuery::step_bind() {
  const auto view = pgwire::parse_bind(present_.body());
  if (!view) return step_malformed_bind();
  if (view->portal == context_.link->own_name()) return refuse(refusal_of_reserved_name());
  if (is_uncertain(view->portal) || is_uncertain(view->statement))
    return refuse(refusal_of_uncertain_name());
  const auto statement = context_.names.statements.find(view->statement, context_.link->unit());
  if (!statement.is_certain) return false;
  if (context_.names.portals.size() >=
      context_.environment.config->limits.max_prepared_statements) {
    return refuse({std::string(sqlstate::kProgramLimitExceeded),
                   "the session has too many portals ([limits] max_prepared_statements)"});
  }
  if (!statement.value && context_.may_deny())
    return refuse_unseen(unknown_statement(view->statement));
  portal_ = make_portal(*view, statement.value);
  if (!portal_) return step_malformed_bind();
  if (const auto refusal = objection_to_values()) {
    portal_.reset();
    return refuse(*refusal);
  }
  if (!statement.value) {
    Decision unseen;
    forward_bind(unseen, view->portal);
    return true;
  }
  if (!judge_.start_portal(portal_->bound)) return false;
  carry_out_bind(judge_.take_decision(), *view);
  return true;
}

// The server looks at the statement and at the transaction first, and then at one value after the other.
bool ExtendedQuery::step_malformed_bind() {
  const backend::Link& link = *context_.link;
  const bool has_failed = link.transaction() == pgwire::TransactionStatus::failed &&
                          link.owed().empty() && !link.owed().hides_changes(true);
  if (!context_.may_deny() || has_failed) return forward_malformed();
  if (const auto name = statement_of_bind(present_.body())) {
    const auto statement = context_.names.statements.find(*name, link.unit());
    if (!statement.is_certain) return false;
    if (!statement.value) return refuse_unseen(unknown_statement(*name));
  }
  return refuse(malformed_bind(present_.body()));
}

// The server calls the input functions of their types, and no hook is asked about what only manages the session, or is
// empty.
std::optional<Refusal> ExtendedQuery::objection_to_values() const {
  const BoundStatement& bound = *portal_->bound;
  if (!context_.may_deny() || bound.parameters.empty() || !bound.statement) return std::nullopt;
  const auto& statements = bound.statement->analysis->statements;
  if (!statements.empty() && !statements.front().is_session_statement) return std::nullopt;
  return Refusal{
      std::string(sqlstate::kFeatureNotSupported),
      "values for a statement that only manages the session, or for an empty one, are not "
      "supported while plugins are loaded"};
}

// Null: its values cannot be read.
std::shared_ptr<Portal> ExtendedQuery::make_portal(const pgwire::BindView& view,
                                                   StatementPool::Statement statement) {
  auto portal =
      context_.environment.recycler->make_portal();  // first: it lets go of what it was bound to
  auto bound = context_.environment.recycler->make_bound();
  bound->statement = std::move(statement);
  bound->values = view.values;
  bound->formats = view.formats;
  const bool is_readable =
      !bound->statement || read_parameters(*bound, context_.environment.recycler->bound_values);
  if (!is_readable) return nullptr;
  portal->bound = std::move(bound);
  return portal;
}

void ExtendedQuery::carry_out_bind(Decision& decision, const pgwire::BindView& view) {
  if (!is_refused(decision)) forward_bind(decision, view.portal);
}

// Of a cursor of SQL, which is judged by its first Execute.
void ExtendedQuery::carry_out_execute(const Decision& decision, const pgwire::ExecuteView& view) {
  if (is_refused(decision)) return;
  note_judgement(*portal_, decision);
  forward_execute(view.max_rows);
}

// True = the portal is not to be forwarded, and the client was told why.
bool ExtendedQuery::is_refused(const Decision& decision) {
  if (decision.fatal) {
    context_.end.fail(sqlstate::kSystemError, kPostQueryFailed);
  } else if (decision.refusal) {
    portal_.reset();
    forwarder_.refuse_item(*decision.refusal);
  }
  return decision.fatal || decision.refusal;
}

void ExtendedQuery::forward_bind(Decision& decision, std::string_view name) {
  auto portal = std::exchange(portal_, nullptr);
  std::string message;
  if (!decision.new_text.empty())
    message = bind_other_text(name, *portal->bound, decision.take_text());
  // FETCH may run it, unseen, at any time.
  const bool is_stored = portal->bound->statement && !name.empty() && judge_.changes_settings();
  if (is_stored) context_.settings.store_change();
  InFlight item(fe::kBind);
  item.portal = portal;
  if (portal->bound->statement) note_judgement(*portal, decision);
  item.names.portal = context_.names.portals.define(name, std::move(portal), context_.link->unit());
  if (message.empty()) {
    present_.forward_to(*context_.link);
  } else {
    context_.link->send(std::move(message));
  }
  forwarder_.adopt(std::move(item));
}

void ExtendedQuery::note_judgement(Portal& portal, const Decision& decision) {
  portal.is_judged = true;
  if (decision.is_bounded) portal.caps.add(judge_.portal_caps());
  portal.touches_session = decision.touches_session;
  portal.may_copy_in = decision.may_copy_in;
  portal.run_bytes = judge_.has_run() ? judge_.held_bytes() : 0;
}

// Has the server parse another text, unnoticed by the client. Returns the Bind of it, which takes the place
// of the client's.
std::string ExtendedQuery::bind_other_text(std::string_view name, const BoundStatement& bound,
                                           std::string_view text) {
  const Rebinding rebinding = rebind(bound, text);
  context_.link->send_own(fe::kClose, pgwire::serialize_close_statement(context_.link->own_name()));
  context_.link->send_own(
      fe::kParse, pgwire::serialize_parse(context_.link->own_name(), text, rebinding.types));
  return pgwire::serialize_bind(name, context_.link->own_name(), rebinding.values,
                                rebinding.formats);
}

bool ExtendedQuery::step_execute() {
  const auto view = pgwire::parse_execute(present_.body());
  if (!view) return refuse(malformed_execute(present_.body()));
  if (is_uncertain(view->portal)) return refuse(refusal_of_uncertain_name());
  auto found = context_.names.portals.find(view->portal, context_.link->unit());
  if (!found.is_certain) return false;
  if (blocks_concern_statements(context_.environment)) {
    if (context_.in_flight.touches_session()) return false;
    const sql::Statement* runs = statement_of(found.value.get());
    if (const auto refusal = objection_to_blocked(context_, context_.settings, runs))
      return refuse(*refusal);
  }
  if (!found.value || !found.value->bound->statement) {
    execute_unknown(view->portal, found.value != nullptr);
    return true;
  }
  portal_ = std::move(found.value);
  if (portal_->is_judged) return execute_judged(view->max_rows);
  if (!judge_.start_portal(portal_->bound)) return false;
  carry_out_execute(judge_.take_decision(), *view);
  return true;
}

// What was judged at Bind must still hold. False = nobody knows yet.
bool ExtendedQuery::execute_judged(std::int32_t max_rows) {
  if (!note_cursor_caps()) return false;
  const QueryRun* run = portal_->run.get();
  if (run != nullptr && !run->is_finished()) {
    if (context_.in_flight.touches_session()) return false;
    const StatementRun& judged = run->statements.front();
    auto refusal = objection_to_run(context_, context_.settings, judged);
    if (!refusal && judged.prepared) {
      const auto named = present_statement_of(*portal_);
      if (!named.is_certain) return false;
      if (named.value != judged.prepared) refusal = changed_statement();
    }
    if (refusal) {
      portal_.reset();
      return refuse(*refusal);
    }
  }
  forward_execute(max_rows);
  return true;
}

// The cursor that it fetches from may be another one than at its Bind. False = nobody knows yet.
bool ExtendedQuery::note_cursor_caps() {
  const sql::Statement* runs = statement_of(portal_.get());
  if (runs == nullptr || runs->name_op != sql::NameOp::fetch) return true;
  const auto cursor = context_.names.portals.find(runs->name, context_.link->unit());
  if (cursor.is_certain && cursor.value) portal_->caps.add(cursor.value->caps);
  return cursor.is_certain;
}

// What the name stands for now that the EXECUTE of `portal` has.
NameLog<const PreparedStatement>::Found ExtendedQuery::present_statement_of(
    const Portal& portal) const {
  const sql::Statement& execute = portal.bound->statement->analysis->statements.front();
  return context_.names.statements.find(execute.name, context_.link->unit());
}

void ExtendedQuery::execute_unknown(std::string_view portal, bool is_bound) {
  if (context_.may_deny()) {
    const std::string name = "portal \"" + std::string(portal) + "\" ";
    refuse_unseen(
        {std::string(sqlstate::kInvalidCursorName),
         name + (is_bound ? "runs a statement that was prepared where plugins did not see it"
                          : "does not exist")});
    return;
  }
  InFlight item(fe::kExecute, true);
  item.expect.may_copy_in = true;
  forwarder_.forward_as(std::move(item));
}

void ExtendedQuery::forward_execute(std::int32_t max_rows) {
  const auto portal = std::exchange(portal_, nullptr);
  InFlight item(fe::kExecute, portal->touches_session);
  item.max_rows = max_rows;
  item.expect.may_copy_in = portal->may_copy_in;
  item.expect.is_bounded = !portal->caps.empty();
  item.portal = portal;
  if (portal->run) {
    item.forwarded_ns = context_.environment.clock->monotonic_ns();
    item.names = note_names(context_, *portal->run, portal->run->statements.front(),
                            portal->bound->statement->rules);
  }
  present_.forward_to(*context_.link);
  forwarder_.adopt(std::move(item));
}

}  // namespace helios::session
