// SPDX-License-Identifier: Apache-2.0
#include "session/forwarder.hpp"

#include "pgwire/command_complete.hpp"
#include "pgwire/query.hpp"
#include "session/refusal_records.hpp"

#include <utility>

namespace helios::session {

namespace fe = pgwire::frontend;

void Forwarder::expect(InFlight&& item) {
  make_room();
  add(std::move(item));
}

// Behind make_room().
backend::Tag Forwarder::add(InFlight&& item) {
  const backend::Expect expected = item.expect;
  const backend::Tag tag = context_.in_flight.add(std::move(item));
  context_.link->expect(tag, expected);
  return tag;
}

void Forwarder::expect(char request, bool may_touch_session) {
  make_room();
  const backend::Tag tag = context_.in_flight.add(request, may_touch_session);
  context_.link->expect(tag, {.request = request});
}

void Forwarder::forward_as(InFlight&& item) {
  present_.forward_to(*context_.link);
  expect(std::move(item));
}

// The next expect() throws nothing but what on_ended() does.
void Forwarder::make_room() {
  context_.link->make_room();
  context_.in_flight.make_room_for_add();
}

// When the message that was judged last is forwarded.
std::int64_t Forwarder::note_time() {
  const std::int64_t now_ns = context_.environment.clock->monotonic_ns();
  judge_.note_forwarded(now_ns);
  return now_ns;
}

backend::Tag Forwarder::follow(InFlight&& item) {
  if (judge_.has_run()) item.forwarded_ns = note_time();
  make_room();
  item.run = judge_.take_run();
  return add(std::move(item));
}

void Forwarder::adopt(InFlight&& item) {
  if (judge_.has_run()) item.forwarded_ns = note_time();
  make_room();
  if (judge_.has_run()) item.portal->run = judge_.take_run();
  add(std::move(item));
}

NameChanges Forwarder::drop_unnamed() {
  Names& names = context_.names;
  const std::uint64_t unit = context_.link->unit();
  NameChanges changes;
  if (names.statements.has("")) changes.statement = names.statements.define("", nullptr, unit);
  if (names.portals.has("")) changes.portal = names.portals.define("", nullptr, unit);
  return changes;
}

void Forwarder::forward_malformed() {
  InFlight item(present_.type());
  item.is_malformed = true;
  forward_as(std::move(item));
  skip_to_sync();
}

// A Query ends the unnamed statement, also where it fails: where there is one, the server is told by a Query that does.
void Forwarder::refuse_query(const Refusal& refused) {
  const Refusal refusal = note_refusal(context_, refused);
  if (context_.is_idle() && !context_.names.statements.has("")) return refuse_here(refusal);
  ++context_.environment.counters->refused;
  context_.link->fence();
  context_.link->send(pgwire::serialize_query(kRefusedText));
  InFlight item(fe::kQuery, refusal);
  item.names = drop_unnamed();
  expect(std::move(item));
}

// Its answers are those of a Query that fails: ErrorResponse, ReadyForQuery.
void Forwarder::refuse_unreadable_query(const Refusal& refused, std::string_view text) {
  const Refusal refusal = note_refusal(context_, refused);
  ++context_.environment.counters->refused;
  ask_what_is_wrong(refusal, pgwire::ParseView{.statement = {}, .text = text, .types = {}});
  context_.link->send(pgwire::serialize_sync());
  InFlight item(fe::kSync);
  item.names = drop_unnamed();
  expect(std::move(item));
}

void Forwarder::refuse_function_call(const Refusal& refused) {
  const Refusal refusal = note_refusal(context_, refused);
  if (context_.is_idle()) return refuse_here(refusal);
  ++context_.environment.counters->refused;
  context_.link->fence();
  context_.link->send(pgwire::serialize_function_call(kNoFunction));
  expect(InFlight(fe::kFunctionCall, refusal));
}

// Requires: SessionContext::is_idle(). The server is not needed.
void Forwarder::refuse_here(const Refusal& refusal) {
  ++context_.environment.counters->refused;
  base::Output& client = context_.actions->to_client;
  client.append(refusal.error_response());
  client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
}

// Whatever is refused, a Parse stands in for it: nothing that a client makes, under whatever name, lets that one succeed. One
// that is unnamed ends the unnamed statement first, as the client's would have.
void Forwarder::refuse_item(const Refusal& refused, const pgwire::ParseView* parse) {
  const Refusal refusal = note_refusal(context_, refused);
  ++context_.environment.counters->refused;
  const std::string& own_name = context_.link->own_name();
  const bool is_unnamed = parse != nullptr && parse->statement.empty();
  context_.link->send(
      pgwire::serialize_parse(is_unnamed ? std::string_view() : own_name, kRefusedText));
  InFlight item(fe::kParse, refusal);
  item.ends_unnamed = is_unnamed;
  expect(std::move(item));
  skip_to_sync();
}

void Forwarder::refuse_unreadable_parse(const Refusal& refused, const pgwire::ParseView& view) {
  const Refusal refusal = note_refusal(context_, refused);
  ++context_.environment.counters->refused;
  ask_what_is_wrong(refusal, view);
  skip_to_sync();
}

// What the grammar refuses, the server refuses too, and says what is wrong in its own words when it is asked to
// parse it, which runs nothing. Should it read the text all the same, the stand-in behind it fails, and
// leaves nothing under the name.
void Forwarder::ask_what_is_wrong(const Refusal& refusal, const pgwire::ParseView& view) {
  backend::Link& link = *context_.link;
  const std::string_view name = view.statement.empty() ? std::string_view() : link.own_name();
  if (!name.empty()) link.send_own(fe::kClose, pgwire::serialize_close_statement(name));
  link.send_own(fe::kParse, pgwire::serialize_parse(name, view.text, view.types));
  if (!name.empty()) link.send_own(fe::kClose, pgwire::serialize_close_statement(name));
  link.send(pgwire::serialize_parse(name, kRefusedText));
  InFlight item(fe::kParse, refusal);
  item.ends_unnamed = name.empty();
  expect(std::move(item));
}

}  // namespace helios::session
