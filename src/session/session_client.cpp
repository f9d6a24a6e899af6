// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <cctype>

// Client messages once the session is ready.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using config::Policy;
using pgwire::FrameReader;

namespace {

bool is_extended(char type) {
  switch (type) {
    case fe::kParse:
    case fe::kBind:
    case fe::kDescribe:
    case fe::kExecute:
    case fe::kClose: return true;
    default: return false;
  }
}

bool is_answered(char type) {
  return is_extended(type) || type == fe::kQuery || type == fe::kFunctionCall;
}

// As PostgreSQL writes it.
std::string upper_hex(char type) {
  std::string hex = base::to_hex({&type, 1});
  for (char& digit : hex)
    digit = static_cast<char>(std::toupper(static_cast<unsigned char>(digit)));
  return hex;
}

bool belongs_to_copy(char type) {
  switch (type) {
    case fe::kCopyData:
    case fe::kCopyDone:
    case fe::kCopyFail:
    case fe::kFlush:
    case fe::kSync: return true;
    default: return false;
  }
}

}  // namespace

void Session::Impl::on_client_bytes(std::string_view bytes) {
  if (state_ != State::closing && state_ != State::closed && !farewell_)
    client_input_.arrive(bytes);
}

bool Session::Impl::client_may_go_on() const {
  if (gate_.busy() || present_.is_held() || terminate_sent_ || farewell_ ||
      link_->is_amid_notification()) {
    return false;
  }
  // Limits hold between messages: one that has begun is noted already.
  return client_reader_.inside_message() || has_room_for_replies();
}

// `input`: of the client, at the type byte of a message or inside of its header.
bool Session::Impl::is_held_up(std::string_view input) {
  const bool is_known = !client_reader_.at_boundary() || !input.empty();
  if (client_reader_.inside_message() || !is_known) return false;
  const char type = client_reader_.at_boundary() ? input.front() : client_reader_.type();
  if (link_->is_reading_copy() && !belongs_to_copy(type)) break_copy(type);
  return link_->must_wait(type);
}

bool Session::Impl::step_client() {
  std::string_view& input = client_input_.view(actions_->to_server);
  if (is_held_up(input)) return false;
  switch (client_reader_.next(input)) {
    case FrameReader::Step::need_more: return false;
    case FrameReader::Step::bad_length:
      fail_after_answers(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case FrameReader::Step::header: handle_client_header(client_reader_.type()); return true;
    case FrameReader::Step::piece:
      if (client_plan_ == ClientPlan::pass) link_->forward(client_reader_);
      if (client_reader_.last_piece()) end_streamed_message();
      return true;
    case FrameReader::Step::message: handle_client_message(); return true;
  }
  return false;
}

void Session::Impl::handle_client_header(char type) {
  deadlines_.note_message();
  const std::uint32_t limit = pgwire::frontend_length_limit(type);
  if (limit == 0 || type == fe::kPassword) {
    fail_after_answers(
        sqlstate::kProtocolViolation,
        "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type)));
  } else if (client_reader_.length() > limit) {
    fail_after_answers(sqlstate::kProtocolViolation, "invalid message length");
  } else if (client_reader_.length() > environment_.config->limits.max_message_bytes) {
    fail_after_answers(sqlstate::kProgramLimitExceeded,
                       "a message of " + std::to_string(client_reader_.length()) +
                           " bytes is longer than [limits] max_message_bytes allows");
  } else {
    if (type == fe::kCopyData && link_->is_reading_copy()) deadlines_.note_progress();
    client_plan_ = plan_message(type);
    if (client_plan_ == ClientPlan::judge || client_plan_ == ClientPlan::follow) {
      client_reader_.collect();
    } else {
      client_reader_.stream();
    }
  }
}

// Such a message does not belong into COPY data. Whether the server still reads them, it has to say.
void Session::Impl::break_copy(char type) {
  copy_breaker_ = type;
  link_->break_copy();
}

// In the server's words: by itself it would have found out when it read on.
void Session::Impl::on_copy_broken() {
  actions_->to_client.append(pgwire::serialize_error_response(
      pgwire::Severity::error, sqlstate::kProtocolViolation,
      "unexpected message type 0x" + upper_hex(copy_breaker_) + " during COPY from stdin"));
  fail(sqlstate::kProtocolViolation,
       "terminating connection because protocol synchronization was lost");
}

// Decides what becomes of a message by its type, and notes it where it will be answered.
Session::Impl::ClientPlan Session::Impl::plan_message(char type) {
  if (type == fe::kTerminate) return ClientPlan::pass;
  if (type == fe::kSync) return plan_sync();
  if (is_skipping_) return ClientPlan::drop;
  if (type == fe::kCopyDone || type == fe::kCopyFail) link_->note_copy_end();
  if (!is_answered(type)) return ClientPlan::pass;
  // The server has failed and discards what comes before the next Sync.
  if (link_->owed().is_skipping()) return ClientPlan::pass;
  const bool is_query = type == fe::kQuery;
  if (!watch_text()) {
    expect(InFlight(type, !is_query));
    return ClientPlan::pass;
  }
  if (is_query) return plan_query();
  if (type == fe::kDescribe) {
    expect(InFlight(type));
    return ClientPlan::pass;
  }
  return plan_followed(type);
}

bool Session::Impl::watch_text() {
  const bool watching = is_watching();
  if (watching && passed_unread_) {
    settings_.set_all_unknown();
    names_.forget();
  }
  passed_unread_ = !watching;
  link_->be_exact(watching);
  return watching;
}

Session::Impl::ClientPlan Session::Impl::plan_query() {
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes &&
      has_room_for_query(client_reader_.length())) {
    return ClientPlan::judge;
  }
  if (has_hooks() || identity_.restricts_tenant()) return ClientPlan::drop_refused;
  settings_.store_change();
  settings_.set_tenant_unread();
  InFlight item(fe::kQuery, true);
  item.expect.may_copy_in = true;
  expect(std::move(item));
  return ClientPlan::pass;
}

Session::Impl::ClientPlan Session::Impl::plan_sync() {
  if (!link_->is_reading_copy()) is_skipping_ = false;
  InFlight item(fe::kSync);
  item.expect.is_maybe = link_->is_reading_copy();
  expect(std::move(item));
  return ClientPlan::pass;
}

// The whole message was streamed away.
void Session::Impl::end_streamed_message() {
  terminate_sent_ = client_reader_.type() == fe::kTerminate;
  if (client_plan_ != ClientPlan::drop_refused) return;
  const Refusal refusal = refusal_of_length();
  if (is_extended(client_reader_.type())) {
    refuse_item(refusal);
  } else if (client_reader_.type() == fe::kFunctionCall) {
    refuse_function_call(refusal);
  } else {
    refuse_query(refusal);
  }
}

// Of a message that was too long to be looked at.
Refusal Session::Impl::refusal_of_length() {
  const std::uint64_t most = environment_.config->protocol.max_query_bytes;
  const bool is_query = client_reader_.type() == fe::kQuery;
  if (!is_query && !has_hooks()) return identity_.objection_to_hidden_change();
  const std::string what = is_query ? "the query" : "the message";
  if (client_reader_.length() > most) {
    return {std::string(sqlstate::kProgramLimitExceeded),
            what + " is longer than " + std::to_string(most) +
                " bytes, the most that plugins are shown ([protocol] max_query_bytes)"};
  }
  ++environment_.counters->out_of_memory;
  return {std::string(sqlstate::kOutOfMemory),
          "out of memory: " + what + " of " + std::to_string(client_reader_.length()) +
              " bytes has no room at present ([limits] max_session_memory_kb, "
              "max_total_memory_mb)"};
}

void Session::Impl::handle_client_message() {
  if (client_plan_ == ClientPlan::follow) {
    handle_followed();
    return;
  }
  const auto text = pgwire::parse_query(client_reader_.body());
  if (!text) {
    refuse_query({std::string(sqlstate::kProtocolViolation), "invalid string in message", 0});
    return;
  }
  ++environment_.counters->queries;
  if (gate_.start(*text)) {
    carry_out_query(gate_.take_decision());
  } else {
    present_.hold();
  }
}

void Session::Impl::carry_out_query(Decision decision) {
  if (decision.fatal) {
    fail(sqlstate::kSystemError, "terminating connection: a plugin failed in post_query");
  } else if (decision.refusal && !decision.unreadable.empty() && !link_->is_batch_open()) {
    refuse_unreadable_query(*decision.refusal, decision.unreadable);
  } else if (decision.refusal) {
    refuse_query(*decision.refusal);
  } else if (!decision.answer.empty()) {
    actions_->to_client.append(std::move(decision.answer));
    actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
  } else {
    forward_query(decision);
  }
}

void Session::Impl::forward_query(const Decision& decision) {
  if (decision.new_text.empty()) {
    present_.forward_to(*link_);
  } else {
    link_->send(pgwire::serialize_query(decision.new_text));
  }
  InFlight item(fe::kQuery, decision.touches_session);
  item.names = drop_unnamed();
  item.expect.may_copy_in = decision.may_copy_in;
  follow_run(item);
  expect(std::move(item));
}

// A message was forwarded that is answered, or one of ours in its place.
void Session::Impl::expect(InFlight&& item) {
  make_room();
  const backend::Expect expected = item.expect;
  link_->expect(in_flight_.add(std::move(item)), expected);
}

// The next expect() throws nothing but what on_ended() does.
void Session::Impl::make_room() {
  link_->make_room();
  in_flight_.make_room_for_add();
}

// The last step before `item` is expected: nothing can throw until it is.
void Session::Impl::follow_run(InFlight& item) {
  if (gate_.has_run()) item.forwarded_ns = environment_.clock->monotonic_ns();
  make_room();
  item.run = gate_.take_run();
}

// A Query ends the unnamed statement and the unnamed portal.
NameChanges Session::Impl::drop_unnamed() {
  NameChanges changes;
  if (names_.statements.has("")) {
    changes.statement = names_.statements.define("", nullptr, link_->unit());
  }
  if (names_.portals.has("")) changes.portal = names_.portals.define("", nullptr, link_->unit());
  return changes;
}

// Refuses a Query; see refusal.hpp. A Query ends the unnamed statement, also where it
// fails: where there is one, the server is told by a Query that does.
void Session::Impl::refuse_query(const Refusal& refusal) {
  if (is_idle() && !names_.statements.has("")) return refuse_here(refusal);
  ++environment_.counters->refused;
  link_->send(pgwire::serialize_query(kRefusedText));
  InFlight item(fe::kQuery, refusal);
  item.names = drop_unnamed();
  expect(std::move(item));
}

// Its answers are those of a Query that fails: ErrorResponse, ReadyForQuery. Requires: no batch is open. If that had
// failed, the server would skip a Query, but not the Sync here.
void Session::Impl::refuse_unreadable_query(const Refusal& refusal, std::string_view text) {
  ++environment_.counters->refused;
  ask_what_is_wrong(refusal, pgwire::ParseView{.statement = {}, .text = text, .types = {}});
  link_->send(pgwire::serialize_sync());
  InFlight item(fe::kSync);
  item.names = drop_unnamed();
  expect(std::move(item));
}

void Session::Impl::refuse_function_call(const Refusal& refusal) {
  if (is_idle()) return refuse_here(refusal);
  ++environment_.counters->refused;
  link_->send(pgwire::serialize_function_call(kNoFunction));
  expect(InFlight(fe::kFunctionCall, refusal));
}

// Requires: is_idle().
void Session::Impl::refuse_here(const Refusal& refusal) {
  ++environment_.counters->refused;
  actions_->to_client.append(refusal.error_response());
  actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
}

}  // namespace helios::session
