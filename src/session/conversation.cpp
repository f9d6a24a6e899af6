// SPDX-License-Identifier: Apache-2.0
#include "session/conversation.hpp"

#include "base/text.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/message_limits.hpp"

#include <cctype>

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using pgwire::FrameReader;

namespace {

// Messages forwarded and not yet answered. A client that sends more waits for answers first.
constexpr std::size_t kMaxOutstandingReplies = 16384;
constexpr std::uint64_t kKib = 1024;
// What the length of a message without a body counts.
constexpr std::uint32_t kLengthBytes = 4;

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

bool is_of_copy(char type) {
  return type == fe::kCopyData || type == fe::kCopyDone || type == fe::kCopyFail;
}

bool belongs_to_copy(char type) {
  return is_of_copy(type) || type == fe::kFlush || type == fe::kSync;
}

}  // namespace

Conversation::Conversation(SessionContext& context, ClientInput& input, Deadlines& deadlines,
                           Footprint& footprint, std::function<void()> wake)
    : context_(context),
      input_(input),
      deadlines_(deadlines),
      footprint_(footprint),
      judge_(context, std::move(wake)),
      present_(input.reader),
      forwarder_(context, judge_, present_),
      simple_(context, judge_, present_, forwarder_),
      extended_(context, judge_, present_, forwarder_) {}

// ---- the order of messages ----

bool Conversation::step() {
  if (simple_.is_sending()) return simple_.send_next();
  if (present_.is_held()) return step_held();
  return may_go_on() && step_input();
}

bool Conversation::is_between_messages() const {
  return is_through() && !forwarder_.is_skipping() && input_.bytes.empty() &&
         input_.reader.at_boundary();
}

// The server may be waiting for COPY data, so that no answer would come.
bool Conversation::has_room_behind_others() const {
  const backend::Link& link = *context_.link;
  if (link.is_reading_copy()) return true;
  // What is kept for the next ones counts as room, too.
  return link.owed().size() < kMaxOutstandingReplies &&
         link.owed().held_bytes() + context_.in_flight.held_bytes() <=
             context_.environment.config->limits.max_session_memory_kb * kKib / 4;
}

void Conversation::ask_for_answers() {
  if (!context_.link->may_keep_answers()) return;  // nearly always
  const bool is_held = judge_.busy() ? judge_.waits_for_answers() : present_.is_held();
  const bool has_next = !input_.bytes.empty();
  const bool is_next_held = context_.link->waits_for_copy() || context_.link->is_bounded();
  if (is_held || farewell_ || !has_room_for_replies() || (has_next && is_next_held)) {
    context_.link->ask_for_answers();
  }
}

// `input`: of the client, at the type byte of a message or inside of its header.
bool Conversation::is_held_up(std::string_view input) {
  const FrameReader& reader = input_.reader;
  const bool is_known = !reader.at_boundary() || !input.empty();
  if (reader.inside_message() || !is_known) return false;
  const char type = reader.at_boundary() ? input.front() : reader.type();
  if (context_.link->is_reading_copy() && !belongs_to_copy(type)) break_copy(type);
  return context_.link->must_wait(type);
}

bool Conversation::step_input() {
  FrameReader& reader = input_.reader;
  std::string_view& input = input_.bytes.view(context_.actions->to_server);
  if (is_held_up(input)) return false;
  FrameReader::Step step = reader.next(input);
  if (step == FrameReader::Step::header) {
    if (!handle_header(reader.type())) return true;
    step = reader.next(input);
  }
  switch (step) {
    case FrameReader::Step::header:
    case FrameReader::Step::need_more: return false;
    case FrameReader::Step::bad_length:
      context_.end.fail_after_answers(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case FrameReader::Step::piece:
      if (plan_ == Plan::pass) context_.link->forward(reader);
      if (reader.last_piece()) end_streamed_message();
      return true;
    case FrameReader::Step::message: handle_message(); return true;
  }
  return false;
}

// False = the session ends for it.
bool Conversation::handle_header(char type) {
  deadlines_.note_message();
  if (!is_within_limits(type)) return false;
  if (type == fe::kCopyData && context_.link->is_reading_copy()) deadlines_.note_progress();
  plan_ = plan_message(type);
  plan_ == Plan::collect ? input_.reader.collect() : input_.reader.stream();
  return true;
}

bool Conversation::is_within_limits(char type) {
  const std::uint64_t max_bytes = context_.environment.config->limits.max_message_bytes;
  const auto exceeded = exceeded_limit(type, input_.reader.length(), max_bytes);
  const bool is_uncounted =
      !context_.link->is_count_certain() && type != fe::kTerminate && is_watching();
  if (exceeded) {
    context_.end.fail_after_answers(exceeded->sqlstate, exceeded->message);
  } else if (is_uncounted) {
    context_.end.fail_after_answers(sqlstate::kAdminShutdown,
                                    "a COPY of this session failed before there were plugins, so "
                                    "its answers cannot be told apart; connect again");
  }
  return !exceeded && !is_uncounted;
}

// ---- COPY ----

// Such a message does not belong into COPY data. Whether the server still reads them, it has to say.
void Conversation::break_copy(char type) {
  copy_breaker_ = type;
  context_.link->break_copy();
}

// What waits for answers would wait for ever: the server wants data.
void Conversation::on_copy_in(bool is_reading) {
  if (is_reading && judge_.waits_for_answers()) break_copy(fe::kQuery);
}

// In the server's words: by itself it would have found out when it read on.
void Conversation::on_copy_broken() {
  context_.actions->to_client.append(pgwire::serialize_error_response(
      pgwire::Severity::error, sqlstate::kProtocolViolation,
      "unexpected message type 0x" + upper_hex(copy_breaker_) + " during COPY from stdin"));
  context_.end.fail(sqlstate::kProtocolViolation,
                    "terminating connection because protocol synchronization was lost");
}

// ---- plans ----

// Decides what becomes of a message by its type, and notes it where it will be answered.
Conversation::Plan Conversation::plan_message(char type) {
  if (type == fe::kTerminate) return Plan::pass;
  if (type == fe::kSync) return plan_sync();
  if (forwarder_.is_skipping()) return Plan::drop;
  if (context_.link->owed().is_skipping()) return plan_skipped(type);
  if (is_of_copy(type)) return plan_copy(type);
  const bool is_bad_flush = type == fe::kFlush && input_.reader.length() != kLengthBytes &&
                            !context_.link->is_reading_copy();
  // It has a body: the server answers it after all, with an error.
  if (is_bad_flush) {
    forwarder_.expect(type);
    forwarder_.skip_to_sync();
    return Plan::pass;
  }
  if (!is_answered(type)) return Plan::pass;
  if (!watch_text()) {
    forwarder_.expect(type, type != fe::kQuery);
    return Plan::pass;
  }
  if (type == fe::kDescribe) {
    forwarder_.expect(type);
    return Plan::pass;
  }
  return plan_judged(type);
}

// The server has failed and discards what comes before the next Sync. Where somebody relies on what is seen, it is not
// left to the server.
Conversation::Plan Conversation::plan_skipped(char type) {
  if (!is_reading()) return Plan::pass;
  context_.link->skip(type);
  return Plan::drop;
}

Conversation::Plan Conversation::plan_copy(char type) {
  if (!context_.link->may_send_copy_data()) return Plan::drop;
  if (type != fe::kCopyData) context_.link->note_copy_end();
  return Plan::pass;
}

// A long message, where nobody could object to it, passes unread.
Conversation::Plan Conversation::plan_judged(char type) {
  if (has_room_for(input_.reader.length())) return Plan::collect;
  if (context_.has_hooks() || context_.restricts_settings() || may_be_blocked(context_))
    return Plan::drop_refused;
  context_.settings.store_change();
  context_.settings.set_tenant_unread();
  if (type != fe::kQuery) context_.names.forget();
  if (type == fe::kQuery || type == fe::kFunctionCall) context_.link->fence();
  InFlight item(type, true);
  item.expect.may_copy_in = type == fe::kQuery || type == fe::kExecute;
  forwarder_.expect(std::move(item));
  return Plan::pass;
}

Conversation::Plan Conversation::plan_sync() {
  const bool is_reading = context_.link->is_reading_copy();
  const bool is_timed = context_.environment.chain->has_hooks();
  if (!is_reading) forwarder_.end_skipping();
  if (!is_reading && !is_timed) {
    forwarder_.expect(fe::kSync);
    return Plan::pass;
  }
  InFlight item(fe::kSync);
  item.expect.is_maybe = is_reading;
  if (is_timed) item.forwarded_ns = context_.environment.clock->monotonic_ns();
  forwarder_.expect(std::move(item));
  return Plan::pass;
}

bool Conversation::has_room_for(std::uint32_t bytes) const {
  const config::Config& config = *context_.environment.config;
  return bytes <= config.protocol.max_query_bytes &&
         footprint_.has_room_for_query(bytes, config.limits);
}

bool Conversation::is_watching() const {
  const config::Config& config = *context_.environment.config;
  return !config.plugins.directory.empty() || !config.kv_sql.readers.empty() ||
         context_.has_hooks() || context_.restricts_settings();
}

// As is_reading(), for a text that is about to pass or to be read.
bool Conversation::watch_text() {
  const bool watching = is_reading();
  if (watching && has_passed_unread_) {
    context_.settings.set_all_unknown();
    context_.names.forget();
  }
  has_passed_unread_ = !watching;
  context_.link->be_exact(watching);
  return watching;
}

// The whole message was streamed away.
void Conversation::end_streamed_message() {
  const char type = input_.reader.type();
  has_taken_leave_ = type == fe::kTerminate;
  if (plan_ != Plan::drop_refused) return;
  const Refusal refusal = refusal_of_length();
  if (is_extended(type)) {
    forwarder_.refuse_item(refusal);
  } else if (type == fe::kFunctionCall) {
    forwarder_.refuse_function_call(refusal);
  } else {
    forwarder_.refuse_query(refusal);
  }
}

// Of a message that was too long to be looked at.
Refusal Conversation::refusal_of_length() {
  const std::uint64_t most = context_.environment.config->protocol.max_query_bytes;
  const std::uint32_t length = input_.reader.length();
  const bool is_query = input_.reader.type() == fe::kQuery;
  if (auto refusal = objection_to_blocked(context_, context_.settings, nullptr)) return *refusal;
  if (!is_query && !context_.has_hooks() && context_.identity.restricts_settings())
    return context_.identity.objection_to_hidden_change();
  const std::string what = is_query ? "the query" : "the message";
  if (length > most) {
    return {std::string(sqlstate::kProgramLimitExceeded),
            what + " is longer than " + std::to_string(most) +
                " bytes, the most that plugins are shown ([protocol] max_query_bytes)"};
  }
  ++context_.environment.counters->out_of_memory;
  return {std::string(sqlstate::kOutOfMemory),
          "out of memory: " + what + " of " + std::to_string(length) +
              " bytes has no room at present ([limits] max_session_memory_kb, "
              "max_total_memory_mb)"};
}

// ---- messages that are looked at ----

void Conversation::handle_message() {
  if (step_present()) return;
  present_.hold();
  begin_wait();
  ask_for_answers();
}

// The message that is held waits: for work elsewhere where its judge does, otherwise for answers. The first reason counts.
void Conversation::begin_wait() {
  Timings* timings = context_.environment.timings;
  if (timings == nullptr) return;
  waits_since_ns_ = context_.environment.clock->monotonic_ns();
  waits_in_ = judge_.pending() ? &timings->waits_for_work : &timings->waits_for_answers;
}

void Conversation::end_wait() {
  if (waits_in_ == nullptr) return;
  const std::int64_t now_ns = context_.environment.clock->monotonic_ns();
  std::exchange(waits_in_, nullptr)->observe_ns(now_ns - waits_since_ns_);
}

// True = it was handled now.
bool Conversation::step_held() {
  if (judge_.busy() || context_.link->is_amid_notification()) return false;
  if (!step_present()) {
    ask_for_answers();
    return false;
  }
  end_wait();
  present_.drop();
  return true;
}

// False = it has to wait.
bool Conversation::step_present() {
  switch (present_.type()) {
    case fe::kQuery:
    case fe::kFunctionCall: return simple_.step();
    default: return extended_.step();
  }
}

bool Conversation::step_judge(bool is_ending) {
  if (!judge_.busy()) return false;
  if (!is_ending && context_.link->is_amid_notification()) return false;
  if (!judge_.resume()) {
    if (is_ending) return false;
    ask_for_answers();
    return judge_.waits_for_rules() && context_.link->make_rules_certain();
  }
  Decision& decision = judge_.take_decision();
  if (context_.link->owed().empty()) deadlines_.note_progress();
  if (!is_ending && !farewell_) carry_out(decision);
  return true;
}

// The judge is through with the message that is held.
void Conversation::carry_out(Decision& decision) {
  switch (present_.type()) {
    case fe::kQuery:
    case fe::kFunctionCall: simple_.carry_out(decision); break;
    default: extended_.carry_out(decision); break;
  }
  end_wait();
  present_.drop();
}

}  // namespace helios::session
