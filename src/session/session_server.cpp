// SPDX-License-Identifier: Apache-2.0
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// Server messages once the session is ready. Everything passes as it came, but for the error that
// answers a refused text, and a ReadyForQuery that waits for post_query.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
using pgwire::FrameReader;
using pgwire::TransactionStatus;

namespace {

// Messages that are looked at whole. A longer one streams by unread where that does no harm.
constexpr std::uint32_t kMaxErrorBytes = 16 << 20;
constexpr std::uint32_t kMaxParameterBytes = 1 << 20;
constexpr std::uint32_t kMaxTagBytes = 4096;
constexpr std::uint32_t kReadyForQueryBytes = 5;

}  // namespace

void Session::Impl::on_server_bytes(std::string_view bytes) {
  if (state_ != State::closing && state_ != State::closed) server_input_.arrive(bytes);
}

void Session::Impl::on_server_eof() { server_eof_ = true; }

void Session::Impl::fail_server() {
  fail(pgwire::sqlstate::kProtocolViolation, "the server sent a malformed message");
}

bool Session::Impl::step_server() {
  if (!held_ready_.empty()) return post_hooks_.pending() ? false : (release_ready(), true);
  std::string_view& input = server_input_.view(*actions_);
  switch (server_reader_.next(input)) {
    case FrameReader::Step::need_more: return false;
    case FrameReader::Step::bad_length: fail_server(); return true;
    case FrameReader::Step::header:
      if (!choose_server(server_reader_.type(), server_reader_.length())) fail_server();
      return true;
    case FrameReader::Step::piece: pass_bytes(server_reader_, actions_->to_client); return true;
    case FrameReader::Step::message: handle_server_message(); return true;
  }
  return false;
}

// Streams or collects, and counts the message for the statement it answers. False = no such message.
bool Session::Impl::choose_server(char type, std::uint32_t length) {
  if (!pgwire::is_backend_type(type)) return false;
  ReplyItem* item = replies_.front();
  if (item != nullptr && item->run && !pgwire::is_asynchronous(type) &&
      type != be::kReadyForQuery) {
    item->run->on_answer_bytes(server_reader_.total_bytes());
  }
  bool is_whole = false;
  switch (type) {
    case be::kReadyForQuery:
      if (length != kReadyForQueryBytes) return false;
      is_whole = true;
      break;
    case be::kCommandComplete:
      if (length > kMaxTagBytes) return false;
      is_whole = true;
      break;
    case be::kErrorResponse: is_whole = length <= kMaxErrorBytes; break;
    case be::kParameterStatus: is_whole = length <= kMaxParameterBytes; break;
    default: note_answer(type); break;
  }
  if (is_whole) {
    server_reader_.collect();
  } else {
    if (type == be::kErrorResponse) handle_error({});
    server_reader_.stream();
  }
  return true;
}

// An answer whose body does not matter.
void Session::Impl::note_answer(char type) {
  if (type == be::kCopyInResponse) {
    // One that nobody asked for is the client's business.
    in_copy_in_ = !replies_.empty() && !replies_.on_copy_in();
    if (gate_.waits_for_answers() && in_copy_in_) {
      fail(pgwire::sqlstate::kProtocolViolation,
           "unexpected message type 0x51 during COPY from stdin");
    }
    return;
  }
  if (type == be::kEmptyQueryResponse) note_completion("");
  if (type == be::kPortalSuspended || type == be::kFunctionCallResponse) settings_.recall_change();
  replies_.on_answer(type);
}

void Session::Impl::handle_server_message() {
  switch (server_reader_.type()) {
    case be::kCommandComplete:
      note_completion(pgwire::parse_command_complete(server_reader_.body()).value_or(""));
      replies_.on_answer(be::kCommandComplete);
      break;
    case be::kParameterStatus: note_parameter(server_reader_.body()); break;
    case be::kErrorResponse:
      if (handle_error(server_reader_.body())) return;
      break;
    case be::kReadyForQuery: handle_ready(); return;
    default: break;
  }
  pass_bytes(server_reader_, actions_->to_client);
}

// CommandComplete or EmptyQueryResponse.
void Session::Impl::note_completion(std::string_view tag) {
  in_copy_in_ = false;
  ReplyItem* item = replies_.front();
  if (item == nullptr) return;
  if (item->run) item->run->on_complete(tag, environment_.clock->monotonic_ns(), settings_);
  if (item->request == fe::kExecute) note_execution(tag);
}

// The text of an Execute is not followed; its tag tells something of what it was.
void Session::Impl::note_execution(std::string_view tag) {
  settings_.recall_change();
  if (tag == "COMMIT") settings_.commit();
  if (tag == "ROLLBACK") settings_.unseen_rollback();
  if (tag == "RESET") settings_.unseen_reset();
  if (tag == "DISCARD ALL")
    settings_.apply({.kind = sql::SettingChange::Kind::discard_all, .name = {}, .value = {}});
}

// True = the error was replaced by the refusal it stands for.
bool Session::Impl::handle_error(std::string_view body) {
  in_copy_in_ = false;
  const pgwire::ErrorFieldsView fields = pgwire::parse_error_response(body);
  error_was_fatal_ |= fields.severity == "FATAL" || fields.severity == "PANIC";
  bool is_replaced = false;
  if (ReplyItem* item = replies_.front()) {
    if (item->run) {
      item->run->on_error(fields.sqlstate, fields.message, environment_.clock->monotonic_ns());
    }
    is_replaced = item->refusal && answers_refused_text(fields);
    if (is_replaced) actions_->to_client.append(item->refusal->error_response());
  }
  replies_.on_error();
  return is_replaced;
}

// The answer to a message is complete. It is released when its post_query hooks have committed.
void Session::Impl::handle_ready() {
  const auto status = pgwire::parse_ready_for_query(server_reader_.body());
  if (!status) return fail_server();
  in_copy_in_ = false;
  transaction_ = *status;
  const ReplyItem* item = replies_.front();
  settle_transaction(item == nullptr ? nullptr : item->run.get(), *status);
  replies_.on_answer(be::kReadyForQuery);
  auto runs = replies_.take_ended();
  for (auto& run : runs) {
    run->finish(hooks::Outcome::skipped, environment_.clock->monotonic_ns());
  }
  if (runs.empty()) {
    pass_bytes(server_reader_, actions_->to_client);
    return;
  }
  held_ready_ = server_reader_.bytes();
  if (post_hooks_.start(std::move(runs)) == hooks::RunStatus::done) release_ready();
}

// Outside of a transaction block the message was a transaction of its own, which ends with it.
void Session::Impl::settle_transaction(const QueryRun* run, TransactionStatus status) {
  if (status != TransactionStatus::idle) {
    settings_.begin();
  } else if (settings_.in_transaction()) {
    if (run != nullptr && run->failed()) {
      settings_.rollback();
    } else {
      settings_.commit();
    }
  }
}

void Session::Impl::release_ready() {
  if (post_hooks_.fatal()) {
    held_ready_.clear();
    fail(post_hooks_.fatal()->sqlstate, "terminating connection: " + post_hooks_.fatal()->message);
    return;
  }
  actions_->to_client.append(std::exchange(held_ready_, {}));
}

}  // namespace helios::session
