// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// Client messages once the session is ready.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using config::Policy;
using pgwire::FrameReader;

namespace {

// Messages forwarded and not yet answered. A client that sends more waits for answers first.
constexpr std::size_t kMaxOutstandingReplies = 16384;

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

// pg_proc.oid of set_config(text, text, bool), the same in every version.
constexpr std::uint32_t kSetConfigFunction = 2078;

// Could running the text of a Parse, now or later, or a FunctionCall change a helios.* setting in a way
// that shows?
bool may_change_settings(char type, std::string_view body) {
  if (type == fe::kFunctionCall) return base::ByteReader(body).read_u32() == kSetConfigFunction;
  const auto text = pgwire::parse_parse_text(body);
  return text && mentions_settings(*text);  // the server refuses one without a text
}

const Refusal& extended_refusal() {
  static const Refusal refusal{
      std::string(sqlstate::kFeatureNotSupported),
      "the extended query protocol and function calls are not supported while plugins are loaded: "
      "they would not see the statement ([protocol] extended = \"deny\")",
      0};
  return refusal;
}

}  // namespace

void Session::Impl::on_client_bytes(std::string_view bytes) {
  if (state_ != State::closing && state_ != State::closed) client_input_.arrive(bytes);
}

bool Session::Impl::client_may_go_on() const {
  if (gate_.busy() || terminate_sent_ || is_amid_notification()) return false;
  if (replies_.size() >= kMaxOutstandingReplies) return false;
  return has_room_for_replies() || in_copy_in_;  // the server may be waiting for COPY data
}

bool Session::Impl::step_client() {
  std::string_view& input = client_input_.view(*actions_);
  switch (client_reader_.next(input)) {
    case FrameReader::Step::need_more: return false;
    case FrameReader::Step::bad_length:
      fail(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case FrameReader::Step::header: handle_client_header(client_reader_.type()); return true;
    case FrameReader::Step::piece:
      if (client_plan_ == ClientPlan::pass) pass_bytes(client_reader_, actions_->to_server);
      if (client_reader_.last_piece()) end_streamed_message();
      return true;
    case FrameReader::Step::message: handle_client_message(); return true;
  }
  return false;
}

void Session::Impl::handle_client_header(char type) {
  message_arrived_ = true;
  const std::uint32_t limit = pgwire::frontend_length_limit(type);
  if (limit == 0 || type == fe::kPassword) {
    fail(sqlstate::kProtocolViolation,
         "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type)));
  } else if (client_reader_.length() > limit) {
    fail(sqlstate::kProtocolViolation, "invalid message length");
  } else if (client_reader_.length() > environment_.config->limits.max_message_bytes) {
    fail(sqlstate::kProgramLimitExceeded,
         "a message of " + std::to_string(client_reader_.length()) +
             " bytes is longer than [limits] max_message_bytes allows");
  } else if (type == fe::kQuery && in_copy_in_) {
    fail(sqlstate::kProtocolViolation, "unexpected message type 0x51 during COPY from stdin");
  } else {
    client_plan_ = plan_message(type);
    if (client_plan_ == ClientPlan::judge || client_plan_ == ClientPlan::look) {
      client_reader_.collect();
    } else {
      client_reader_.stream();
    }
  }
}

// Decides what becomes of a message by its type, and notes it where it will be answered.
Session::Impl::ClientPlan Session::Impl::plan_message(char type) {
  if (type == fe::kTerminate) return ClientPlan::pass;
  if (type == fe::kSync) return plan_sync();
  if (skip_ != Skip::none) return ClientPlan::drop;
  const bool is_unseen = has_hooks() && environment_.config->protocol.extended == Policy::deny;
  if (is_extended(type)) {
    if (is_unseen) {
      refuse_extended();
      return ClientPlan::drop;
    }
    is_batch_open_ = true;
    replies_.push(ReplyItem(type, true));
    return type == fe::kParse && watch_text() ? plan_unseen() : ClientPlan::pass;
  }
  if (type == fe::kFunctionCall) {
    if (is_unseen) return ClientPlan::drop_refused;
    replies_.push(ReplyItem(type, true));
    if (watch_text()) return plan_unseen();
  } else if (type == fe::kQuery) {
    return plan_query();
  } else if (type == fe::kCopyDone || type == fe::kCopyFail) {
    note_copy_end();
  }
  return ClientPlan::pass;
}

bool Session::Impl::watch_text() {
  const bool watching = is_watching();
  if (watching && passed_unread_) settings_.set_all_unknown();
  passed_unread_ = !watching;
  return watching;
}

Session::Impl::ClientPlan Session::Impl::plan_query() {
  if (!watch_text()) {
    replies_.push(ReplyItem(fe::kQuery));
    return ClientPlan::pass;
  }
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes &&
      has_room_for_query(client_reader_.length())) {
    return ClientPlan::judge;
  }
  if (has_hooks() || identity_.restricts_tenant()) return ClientPlan::drop_refused;
  settings_.store_change();
  settings_.set_tenant_unknown();
  replies_.push(ReplyItem(fe::kQuery, true));
  return ClientPlan::pass;
}

// A Parse or FunctionCall is looked at only for settings; what passes unread may change them.
Session::Impl::ClientPlan Session::Impl::plan_unseen() {
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes &&
      has_room_for_query(client_reader_.length())) {
    return ClientPlan::look;
  }
  if (identity_.restricts_tenant()) {
    refuse_unseen(identity_.objection_to_hidden_change());
    return ClientPlan::drop;
  }
  settings_.store_change();
  settings_.set_tenant_unknown();
  return ClientPlan::pass;
}

Session::Impl::ClientPlan Session::Impl::plan_sync() {
  const Skip skip = std::exchange(skip_, Skip::none);
  if (skip == Skip::local) {
    actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
    return ClientPlan::drop;
  }
  is_batch_open_ = false;
  // The server would ignore it, unless it has failed meanwhile: then nobody could tell whose answer
  // is whose.
  if (in_copy_in_) return ClientPlan::drop;
  replies_.push(ReplyItem(fe::kSync));
  return ClientPlan::pass;
}

// CopyDone or CopyFail: for the data that the server reads, or for that which it will ask for.
void Session::Impl::note_copy_end() {
  if (in_copy_in_) {
    in_copy_in_ = false;
  } else if (!replies_.empty()) {
    ++replies_.back()->copy_ends_sent;
  }
}

// The whole message was streamed away.
void Session::Impl::end_streamed_message() {
  terminate_sent_ = client_reader_.type() == fe::kTerminate;
  if (client_plan_ != ClientPlan::drop_refused) return;
  if (client_reader_.type() == fe::kFunctionCall) {
    refuse_query(extended_refusal());
    return;
  }
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes) {
    ++environment_.counters->out_of_memory;
    refuse_query({std::string(sqlstate::kOutOfMemory),
                  "out of memory: a query of " + std::to_string(client_reader_.length()) +
                      " bytes has no room at present ([limits] max_session_memory_kb, "
                      "max_total_memory_mb)",
                  0});
    return;
  }
  refuse_query({std::string(sqlstate::kProgramLimitExceeded),
                "the query is longer than " +
                    std::to_string(environment_.config->protocol.max_query_bytes) +
                    " bytes, the most that plugins are shown ([protocol] max_query_bytes)",
                0});
}

void Session::Impl::handle_client_message() {
  if (client_plan_ == ClientPlan::look) {
    look_at_unseen();
    return;
  }
  const auto text = pgwire::parse_query(client_reader_.body());
  if (!text) {
    refuse_query({std::string(sqlstate::kProtocolViolation), "invalid string in message", 0});
    return;
  }
  ++environment_.counters->queries;
  if (gate_.start(*text)) carry_out(gate_.take_decision(), {});
}

// What a Parse or FunctionCall does is not followed; but a tenant that the client may not choose is
// not chosen so.
void Session::Impl::look_at_unseen() {
  if (may_change_settings(client_reader_.type(), client_reader_.body())) {
    if (identity_.restricts_tenant()) {
      refuse_unseen(identity_.objection_to_hidden_change());
      return;
    }
    settings_.store_change();
    settings_.set_tenant_unknown();
  }
  pass_bytes(client_reader_, actions_->to_server);
}

// The Parse or FunctionCall has its place in the reply queue already.
void Session::Impl::refuse_unseen(const Refusal& refusal) {
  ++environment_.counters->refused;
  const char type = client_reader_.type();
  if (type == fe::kParse) {
    skip_ = Skip::with_server;
    actions_->to_server.append(pgwire::serialize_parse(kRefusedText));
  } else {
    actions_->to_server.append(pgwire::serialize_query(kRefusedText));
  }
  if (ReplyItem* item = replies_.back(); item != nullptr && item->request == type) {
    item->refusal = std::make_unique<Refusal>(refusal);
  }
}

// `message`: the client's Query again, where the decision came too late to take it from the input;
// empty = it is what the reader just delivered.
void Session::Impl::carry_out(Decision decision, std::string message) {
  if (decision.fatal) {
    fail(sqlstate::kSystemError, "terminating connection: a plugin failed in post_query");
  } else if (decision.refusal) {
    refuse_query(*decision.refusal);
  } else if (!decision.answer.empty()) {
    actions_->to_client.append(std::move(decision.answer));
    actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
  } else {
    forward_query(std::move(decision), std::move(message));
  }
}

void Session::Impl::forward_query(Decision decision, std::string message) {
  if (!decision.new_text.empty()) message = pgwire::serialize_query(decision.new_text);
  if (message.empty()) {
    pass_bytes(client_reader_, actions_->to_server);
  } else {
    actions_->to_server.append(std::move(message));
  }
  if (decision.run) decision.run->set_forwarded(environment_.clock->monotonic_ns());
  ReplyItem item(fe::kQuery, decision.touches_session);
  item.run = std::move(decision.run);
  replies_.push(std::move(item));
}

// Refuses a Query or FunctionCall; see refusal.hpp.
void Session::Impl::refuse_query(const Refusal& refusal) {
  ++environment_.counters->refused;
  if (is_idle()) {
    actions_->to_client.append(refusal.error_response());
    actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
    return;
  }
  actions_->to_server.append(pgwire::serialize_query(kRefusedText));
  replies_.push(ReplyItem(fe::kQuery, refusal));
}

// Refuses an extended-protocol batch at its first message; the rest is dropped up to Sync.
void Session::Impl::refuse_extended() {
  ++environment_.counters->refused;
  if (is_idle()) {
    skip_ = Skip::local;
    actions_->to_client.append(extended_refusal().error_response());
    return;
  }
  skip_ = Skip::with_server;
  actions_->to_server.append(pgwire::serialize_parse(kRefusedText));
  replies_.push(ReplyItem(fe::kParse, extended_refusal()));
}

}  // namespace helios::session
