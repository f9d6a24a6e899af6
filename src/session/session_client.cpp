// SPDX-License-Identifier: Apache-2.0
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
  return !gate_.busy() && !terminate_sent_ && replies_.size() < kMaxOutstandingReplies;
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
  } else if (type == fe::kQuery && is_inside_copy_in()) {
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
    replies_.push(ReplyItem(type, true));
    return type == fe::kParse && is_watching() ? plan_parse() : ClientPlan::pass;
  }
  if (type == fe::kFunctionCall) {
    if (is_unseen) return ClientPlan::drop_refused;
    replies_.push(ReplyItem(type, true));
  } else if (type == fe::kQuery) {
    return plan_query();
  } else if (type == fe::kCopyDone || type == fe::kCopyFail) {
    if (!replies_.empty()) replies_.back()->copy_end_sent = true;
  }
  return ClientPlan::pass;
}

Session::Impl::ClientPlan Session::Impl::plan_query() {
  if (!is_watching()) {
    replies_.push(ReplyItem(fe::kQuery));
    return ClientPlan::pass;
  }
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes) {
    return ClientPlan::judge;
  }
  if (has_hooks()) return ClientPlan::drop_refused;
  settings_.set_tenant_unknown();
  replies_.push(ReplyItem(fe::kQuery, true));
  return ClientPlan::pass;
}

// The text of a Parse is looked at only for settings; what passes unread may change them.
Session::Impl::ClientPlan Session::Impl::plan_parse() {
  if (client_reader_.length() <= environment_.config->protocol.max_query_bytes) {
    return ClientPlan::look;
  }
  settings_.set_tenant_unknown();
  return ClientPlan::pass;
}

Session::Impl::ClientPlan Session::Impl::plan_sync() {
  const Skip skip = std::exchange(skip_, Skip::none);
  if (skip == Skip::local) {
    actions_->to_client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
    return ClientPlan::drop;
  }
  if (!is_inside_copy_in()) replies_.push(ReplyItem(fe::kSync));
  return ClientPlan::pass;
}

bool Session::Impl::is_inside_copy_in() {
  return in_copy_in_ && !replies_.empty() && !replies_.front()->copy_end_sent;
}

// The whole message was streamed away.
void Session::Impl::end_streamed_message() {
  terminate_sent_ = client_reader_.type() == fe::kTerminate;
  if (client_plan_ != ClientPlan::drop_refused) return;
  if (client_reader_.type() == fe::kFunctionCall) {
    refuse_query(extended_refusal());
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
    const auto text = pgwire::parse_parse_text(client_reader_.body());
    look_at_parse(text);
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

// The text of a Parse is not followed; but a tenant that the client may not choose is not chosen so.
void Session::Impl::look_at_parse(std::optional<std::string_view> text) {
  if (!text || mentions_settings(*text)) {
    if (identity_.restricts_tenant()) {
      refuse_parse(identity_.objection_to_hidden_change());
      return;
    }
    settings_.set_tenant_unknown();
  }
  pass_bytes(client_reader_, actions_->to_server);
}

// The Parse has its place in the reply queue already.
void Session::Impl::refuse_parse(const Refusal& refusal) {
  ++environment_.counters->refused;
  skip_ = Skip::with_server;
  actions_->to_server.append(pgwire::serialize_parse(kRefusedText));
  if (ReplyItem* item = replies_.back(); item != nullptr && item->request == fe::kParse) {
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
