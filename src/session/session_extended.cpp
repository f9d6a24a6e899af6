// SPDX-License-Identifier: Apache-2.0
#include "pgwire/extended.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/large_objects.hpp"
#include "session/rebind.hpp"
#include "session/session_impl.hpp"

// Client messages of the extended protocol, and FunctionCall, where statements are looked at: what
// names stand for is followed, and the statement of each portal meets its hooks at the Bind that makes
// the portal: planning it, which runs functions, comes next, and then more than Execute can run it.
//
// A message that cannot be decided yet is held, with everything behind it, until the server has
// answered earlier ones or a hook is through. Where those answers would come with the next Sync only, a
// Flush of our own asks for them.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using config::Policy;

namespace {

// Changes of names on their way through the server. A client that sends more waits for answers first.
constexpr std::size_t kMaxPendingNames = 256;

// pg_proc.oid of set_config(text, text, bool), the same in every version.
constexpr std::uint32_t kSetConfigFunction = 2078;

}  // namespace

// The server may take another name for it, and somebody relies on what runs under it.
bool Session::Impl::is_uncertain(std::string_view name) const {
  return !is_certain_name(name) && (environment_.chain->may_deny() || identity_.restricts_tenant());
}

// A long message, where nobody could object to it, passes unread.
Session::Impl::ClientPlan Session::Impl::plan_followed(char type) {
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes &&
      has_room_for_query(client_reader_.length())) {
    return ClientPlan::follow;
  }
  if (has_hooks() || identity_.restricts_tenant()) return ClientPlan::drop_refused;
  settings_.store_change();
  settings_.set_tenant_unread();
  names_.forget();
  InFlight item(type, true);
  item.expect.may_copy_in = type == fe::kExecute;
  expect(std::move(item));
  return ClientPlan::pass;
}

void Session::Impl::handle_followed() {
  if (follow()) return;
  present_.hold();
  ask_for_answers();
}

// True = it was handled now.
bool Session::Impl::retry_held() {
  if (gate_.busy() || link_->is_amid_notification()) return false;
  if (!follow()) {
    ask_for_answers();
    return false;
  }
  present_.drop();
  return true;
}

// The gate is through with the held message.
void Session::Impl::carry_out_held(Decision decision) {
  switch (present_.type()) {
    case fe::kQuery: carry_out_query(std::move(decision)); break;
    case fe::kParse: carry_out_parse(std::move(decision)); break;
    case fe::kBind:
    case fe::kExecute: carry_out_portal(std::move(decision)); break;
    default: carry_out_function_call(std::move(decision)); break;
  }
  present_.drop();
}

void Session::Impl::ask_for_answers() {
  const bool is_held = gate_.busy() ? gate_.waits_for_answers() : present_.is_held();
  const bool waits_for_copy = !client_input_.empty() && link_->waits_for_copy();
  if (is_held || farewell_ || !has_room_for_replies() || waits_for_copy) link_->ask_for_answers();
}

// Handles the present message. False = it has to wait.
bool Session::Impl::follow() {
  if (names_.statements.pending() + names_.portals.pending() >= kMaxPendingNames) return false;
  switch (present_.type()) {
    case fe::kParse: return follow_parse();
    case fe::kBind: return follow_bind();
    case fe::kExecute: return follow_execute();
    case fe::kClose: return follow_close();
    default: return follow_function_call();
  }
}

bool Session::Impl::follow_parse() {
  const auto view = pgwire::parse_parse(present_.body());
  if (!view) return forward_malformed();
  if (view->statement == link_->own_name()) return refuse_item(refusal_of_reserved_name());
  if (is_uncertain(view->statement)) return refuse_item(refusal_of_uncertain_name());
  if (names_.statements.size() >= environment_.config->limits.max_prepared_statements) {
    return refuse_item({std::string(sqlstate::kProgramLimitExceeded),
                        "the session has too many prepared statements "
                        "([limits] max_prepared_statements)"});
  }
  if (!gate_.start_parse(view->text, view->types)) return false;
  carry_out_parse(gate_.take_decision());
  return true;
}

void Session::Impl::carry_out_parse(Decision decision) {
  const auto view = pgwire::parse_parse(present_.body());
  if (decision.refusal && !decision.unreadable.empty()) {
    ++environment_.counters->refused;
    ask_what_is_wrong(*decision.refusal, *view);
    is_skipping_ = true;
    return;
  }
  if (decision.refusal) {
    refuse_item(*decision.refusal);
    return;
  }
  InFlight item(fe::kParse);
  item.ends_unnamed = view->statement.empty();
  item.names.statement =
      names_.statements.define(view->statement, std::move(decision.prepared), link_->unit());
  if (decision.new_text.empty()) {
    present_.forward_to(*link_);
  } else {
    link_->send(pgwire::serialize_parse(view->statement, decision.new_text, view->types));
  }
  expect(std::move(item));
}

bool Session::Impl::follow_close() {
  const auto view = pgwire::parse_target(present_.body());
  if (!view) return forward_malformed();
  if (is_uncertain(view->name)) return refuse_item(refusal_of_uncertain_name());
  if (!view->is_portal && environment_.chain->may_deny() && names_.is_executed(view->name)) {
    return refuse_item(refusal_of_executed_name());
  }
  InFlight item(fe::kClose);
  if (view->is_portal) {
    item.names.portal = names_.portals.define(view->name, nullptr, link_->unit());
  } else {
    item.names.statement = names_.statements.define(view->name, nullptr, link_->unit());
  }
  present_.forward_to(*link_);
  expect(std::move(item));
  return true;
}

bool Session::Impl::follow_function_call() {
  const auto function = pgwire::parse_function_call(present_.body());
  if (!function) {
    refuse_function_call(
        {std::string(sqlstate::kProtocolViolation), "insufficient data left in message"});
    return true;
  }
  auto bound = large_object_call(*function);
  const bool may_pass = bound || environment_.config->protocol.function_call == Policy::allow;
  if (environment_.chain->may_deny() && !may_pass) {
    refuse_function_call({std::string(sqlstate::kFeatureNotSupported),
                          "function calls of the protocol have no text that plugins could judge "
                          "([protocol] function_call = \"deny\"): use SELECT"});
    return true;
  }
  const bool may_change_settings = function->function == kSetConfigFunction;
  if (!gate_.start_function_call(std::move(bound), may_change_settings)) return false;
  carry_out_function_call(gate_.take_decision());
  return true;
}

// Null: it is none, or its arguments cannot be read.
std::shared_ptr<const BoundStatement> Session::Impl::large_object_call(
    const pgwire::FunctionCallView& call) {
  const std::string_view text = large_object_statement(call.function);
  if (text.empty()) return nullptr;
  auto bound = environment_.recycler->make_bound();
  bound->statement = environment_.statements->intern(
      text, {}, link_->rules(), environment_.analyzer->analyze(text, link_->rules()));
  bound->values = call.values;
  return read_parameters(*bound, environment_.recycler->bound_values) ? bound : nullptr;
}

void Session::Impl::carry_out_function_call(Decision decision) {
  if (decision.fatal) {
    fail(sqlstate::kSystemError, "terminating connection: a plugin failed in post_query");
    return;
  }
  if (decision.refusal) {
    refuse_function_call(*decision.refusal);
    return;
  }
  InFlight item(fe::kFunctionCall, decision.touches_session);
  present_.forward_to(*link_);
  follow_run(item);
  expect(std::move(item));
}

// A message that runs nothing and that the server cannot read either: it is the one to say what is wrong.
// Should it take it for something all the same, nobody knows what names stand for any more. Returns
// true.
bool Session::Impl::forward_malformed() {
  InFlight item(present_.type());
  item.is_malformed = true;
  present_.forward_to(*link_);
  expect(std::move(item));
  is_skipping_ = true;
  return true;
}

// Refuses the present message of the extended protocol: the server is made to fail in its place, and
// what the client sends up to its next Sync is dropped. Returns true.
bool Session::Impl::refuse_item(const Refusal& refusal) {
  ++environment_.counters->refused;
  if (present_.type() == fe::kParse) {
    refuse_parse(refusal);
  } else {
    link_->send(pgwire::serialize_execute(link_->own_name(), 0));
    expect(InFlight(fe::kExecute, refusal));
  }
  is_skipping_ = true;
  return true;
}

// What the grammar refuses, the server refuses too, and says what is wrong in its own words when it is asked to
// parse it, which runs nothing. Should it read the text all the same, the stand-in behind it fails, and
// leaves nothing under the name.
void Session::Impl::ask_what_is_wrong(const Refusal& refusal, const pgwire::ParseView& view) {
  const std::string_view name = view.statement.empty() ? std::string_view() : link_->own_name();
  if (!name.empty()) link_->send_own(fe::kClose, pgwire::serialize_close_statement(name));
  link_->send_own(fe::kParse, pgwire::serialize_parse(name, view.text, view.types));
  if (!name.empty()) link_->send_own(fe::kClose, pgwire::serialize_close_statement(name));
  link_->send(pgwire::serialize_parse(name, kRefusedText));
  InFlight item(fe::kParse, refusal);
  item.ends_unnamed = name.empty();
  expect(std::move(item));
}

// A Parse ends the unnamed statement first, also where it fails then.
void Session::Impl::refuse_parse(const Refusal& refusal) {
  // Of one that was too long, only the type is still there.
  const bool is_whole = present_.is_held() || client_plan_ == ClientPlan::follow;
  const auto view = is_whole ? pgwire::parse_parse(present_.body()) : std::nullopt;
  const bool is_unnamed = view && view->statement.empty();
  link_->send(
      pgwire::serialize_parse(is_unnamed ? std::string_view() : link_->own_name(), kRefusedText));
  InFlight item(fe::kParse, refusal);
  item.ends_unnamed = is_unnamed;
  expect(std::move(item));
}

}  // namespace helios::session
