// SPDX-License-Identifier: Apache-2.0
#include "pgwire/extended.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/rebind.hpp"
#include "session/session_impl.hpp"

#include <utility>

// Bind and Execute. A statement is judged by the Bind that makes its portal, with its parameters: the server
// plans it next, which runs functions, and then not only Execute can run it, but also FETCH and functions
// that read cursors. What was judged holds for all of them. Its story (QueryRun) lives by the portal
// until it has ended. A cursor of SQL is judged by its DECLARE, and its query by its first Execute.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using config::Policy;

namespace {

// In the server's words.
Refusal malformed_execute(std::string_view body) {
  const std::size_t end = body.find('\0');
  const char* what = end == std::string_view::npos ? "invalid string in message"
                     : body.size() - end - 1 < 4   ? "insufficient data left in message"
                                                   : "invalid message format";
  return {std::string(sqlstate::kProtocolViolation), what};
}

Refusal unknown_statement(std::string_view name) {
  return {std::string(sqlstate::kInvalidStatementName),
          name.empty() ? "unnamed prepared statement does not exist"
                       : "prepared statement \"" + std::string(name) + "\" does not exist"};
}

Refusal changed_statement() {
  return {
      std::string(sqlstate::kInvalidStatementName),
      "the prepared statement that this portal executes is not the one that plugins were shown at "
      "Bind: bind it again"};
}

}  // namespace

bool Session::Impl::follow_bind() {
  const auto view = pgwire::parse_bind(present_.body());
  if (!view) return forward_malformed();
  if (view->portal == link_->own_name()) return refuse_item(refusal_of_reserved_name());
  if (is_uncertain(view->portal) || is_uncertain(view->statement))
    return refuse_item(refusal_of_uncertain_name());
  const auto statement = names_.statements.find(view->statement, link_->unit());
  if (!statement.is_certain) return false;
  if (names_.portals.size() >= environment_.config->limits.max_prepared_statements) {
    return refuse_item({std::string(sqlstate::kProgramLimitExceeded),
                        "the session has too many portals ([limits] max_prepared_statements)"});
  }
  if (!statement.value && is_denied_unseen())
    return refuse_unseen(unknown_statement(view->statement));
  judged_portal_ = make_portal(*view, statement.value);
  if (!judged_portal_) return forward_malformed();
  if (!statement.value) {
    forward_bind({});
    return true;
  }
  if (!gate_.start_portal(judged_portal_->bound)) return false;
  carry_out_portal(gate_.take_decision());
  return true;
}

// Null: its values cannot be read.
std::shared_ptr<Portal> Session::Impl::make_portal(const pgwire::BindView& view,
                                                   StatementPool::Statement statement) {
  auto portal = environment_.recycler->make_portal();  // first: it lets go of what it was bound to
  auto bound = environment_.recycler->make_bound();
  bound->statement = std::move(statement);
  bound->values = view.values;
  bound->formats = view.formats;
  const bool is_readable =
      !bound->statement || read_parameters(*bound, environment_.recycler->bound_values);
  if (!is_readable) return nullptr;
  portal->bound = std::move(bound);
  return portal;
}

// The gate is through with a Bind, or with the Execute of a cursor.
void Session::Impl::carry_out_portal(Decision decision) {
  if (decision.fatal) {
    fail(sqlstate::kSystemError, "terminating connection: a plugin failed in post_query");
  } else if (decision.refusal) {
    judged_portal_.reset();
    refuse_item(*decision.refusal);
  } else if (present_.type() == fe::kBind) {
    forward_bind(decision);
  } else {
    forward_execute(decision);
  }
}

void Session::Impl::forward_bind(const Decision& decision) {
  const auto view = pgwire::parse_bind(present_.body());
  auto portal = std::exchange(judged_portal_, nullptr);
  std::string message;
  if (!decision.new_text.empty())
    message = bind_other_text(view->portal, *portal->bound, decision.new_text);
  // FETCH may run it, unseen, at any time.
  const bool is_stored =
      portal->bound->statement && !view->portal.empty() && gate_.changes_settings();
  if (is_stored) settings_.store_change();
  InFlight item(fe::kBind);
  item.portal = portal;
  if (portal->bound->statement) note_judgement(*portal, decision);
  item.names.portal = names_.portals.define(view->portal, portal, link_->unit());
  if (message.empty()) {
    present_.forward_to(*link_);
  } else {
    link_->send(std::move(message));
  }
  adopt_run(item);
  expect(std::move(item));
}

void Session::Impl::note_judgement(Portal& portal, const Decision& decision) {
  portal.is_judged = true;
  portal.touches_session = decision.touches_session;
  portal.may_copy_in = decision.may_copy_in;
  portal.run_bytes = gate_.has_run() ? gate_.held_bytes() : 0;
}

// As follow_run(), for the portal of `item`: there the run lives, however often it is executed.
void Session::Impl::adopt_run(InFlight& item) {
  if (gate_.has_run()) item.forwarded_ns = environment_.clock->monotonic_ns();
  make_room();
  if (gate_.has_run()) item.portal->run = gate_.take_run();
}

// Has the server parse another text, unnoticed by the client. Returns the Bind of it, which takes the place
// of the client's.
std::string Session::Impl::bind_other_text(std::string_view name, const BoundStatement& bound,
                                           std::string_view text) {
  const Rebinding rebinding = rebind(bound, text);
  link_->send_own(fe::kClose, pgwire::serialize_close_statement(link_->own_name()));
  link_->send_own(fe::kParse, pgwire::serialize_parse(link_->own_name(), text, rebinding.types));
  return pgwire::serialize_bind(name, link_->own_name(), rebinding.values, rebinding.formats);
}

bool Session::Impl::follow_execute() {
  const auto view = pgwire::parse_execute(present_.body());
  if (!view) return refuse_item(malformed_execute(present_.body()));
  if (is_uncertain(view->portal)) return refuse_item(refusal_of_uncertain_name());
  const auto found = names_.portals.find(view->portal, link_->unit());
  if (!found.is_certain) return false;
  if (!found.value || !found.value->bound->statement) {
    execute_unknown(view->portal, found.value != nullptr);
    return true;
  }
  judged_portal_ = found.value;
  if (found.value->is_judged) return execute_judged();
  if (!gate_.start_portal(found.value->bound)) return false;
  carry_out_portal(gate_.take_decision());
  return true;
}

// What was judged at Bind must still hold. False = nobody knows yet.
bool Session::Impl::execute_judged() {
  const QueryRun* run = judged_portal_->run.get();
  if (run != nullptr && !run->is_finished()) {
    if (in_flight_.touches_session()) return false;
    const StatementRun& statement = run->statements.front();
    if (auto refusal = gate_.objection_to_run(statement, settings_)) {
      judged_portal_.reset();
      return refuse_item(*refusal);
    }
    if (statement.prepared) {
      const auto named = names_.statements.find(
          judged_portal_->bound->statement->analysis->statements.front().name, link_->unit());
      if (!named.is_certain) return false;
      if (named.value != statement.prepared) {
        judged_portal_.reset();
        return refuse_item(changed_statement());
      }
    }
  }
  forward_execute({});
  return true;
}

// Where somebody could object, what nobody has seen is neither planned nor run. Mostly it is a name that the
// server does not know either, and the client gets the server's own error.
bool Session::Impl::is_denied_unseen() const {
  return identity_.restricts_tenant() || environment_.chain->may_deny();
}

// Returns true.
bool Session::Impl::refuse_unseen(const Refusal& refusal) {
  return refuse_item(identity_.restricts_tenant() ? identity_.objection_to_hidden_change()
                                                  : refusal);
}

void Session::Impl::execute_unknown(std::string_view portal, bool is_bound) {
  if (is_denied_unseen()) {
    const std::string name = "portal \"" + std::string(portal) + "\" ";
    refuse_unseen(
        {std::string(sqlstate::kInvalidCursorName),
         name + (is_bound ? "runs a statement that was prepared where plugins did not see it"
                          : "does not exist")});
    return;
  }
  present_.forward_to(*link_);
  InFlight item(fe::kExecute, true);
  item.expect.may_copy_in = true;
  expect(std::move(item));
}

// `decision`: of a cursor of SQL, which is judged by its first Execute.
void Session::Impl::forward_execute(const Decision& decision) {
  const auto view = pgwire::parse_execute(present_.body());
  const auto portal = std::exchange(judged_portal_, nullptr);
  if (!portal->is_judged) note_judgement(*portal, decision);
  InFlight item(fe::kExecute, portal->touches_session);
  item.max_rows = view->max_rows;
  item.expect.may_copy_in = portal->may_copy_in;
  item.portal = portal;
  if (portal->run) {
    item.forwarded_ns = environment_.clock->monotonic_ns();
    item.names = gate_.note_names(*portal->run, portal->run->statements.front(),
                                  portal->bound->statement->rules);
  }
  present_.forward_to(*link_);
  adopt_run(item);
  expect(std::move(item));
}

}  // namespace helios::session
