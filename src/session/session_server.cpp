// SPDX-License-Identifier: Apache-2.0
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <algorithm>

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
constexpr std::uint32_t kMaxCopyInBytes = 256
                                          << 10;  // two bytes for each of at most 65,535 columns
constexpr std::uint32_t kReadyForQueryBytes = 5;

// A block or procedure: it may have committed a change before it failed.
bool may_change_anything(const sql::Statement& statement) {
  return std::ranges::any_of(statement.settings, [](const sql::SettingChange& change) {
    return change.kind == sql::SettingChange::Kind::unknown;
  });
}

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
  if (pgwire::is_asynchronous(type)) {
    choose_whole(type == be::kParameterStatus && length <= kMaxParameterBytes);
    return true;
  }
  InFlight* item = present();
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run != nullptr && type != be::kReadyForQuery && type != be::kBindComplete) {
    run->on_answer_bytes(server_reader_.total_bytes());
  }
  if (probe_ != Probe::none && type == be::kEmptyQueryResponse) {
    probe_ = Probe::answered;
    swallowing_ = true;
    server_reader_.collect();
    return length == sizeof length;
  }
  if (probe_ != Probe::none && type == be::kReadyForQuery) {
    server_reader_.collect();
    return length == kReadyForQueryBytes;
  }
  if (item != nullptr && item->expect.is_ours && type != be::kErrorResponse)
    return swallow(type, length);
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
    case be::kCopyInResponse:
      if (length > kMaxCopyInBytes) return false;
      is_whole = true;
      break;
    case be::kErrorResponse: is_whole = length <= kMaxErrorBytes; break;
    default: note_answer(type); break;
  }
  if (!is_whole && type == be::kErrorResponse) handle_error({});
  choose_whole(is_whole);
  return true;
}

void Session::Impl::choose_whole(bool is_whole) {
  if (is_whole) {
    server_reader_.collect();
  } else {
    server_reader_.stream();
  }
}

// The client does not expect the answer to a message of ours. Only those to questions have a body.
bool Session::Impl::swallow(char type, std::uint32_t length) {
  const InFlight* item = present();
  const bool is_answer = item != nullptr && item->asks_reading_rule;
  if (length != sizeof length && !(is_answer && length <= kMaxTagBytes)) return false;
  swallowing_ = true;
  server_reader_.collect();
  owed_.on_answer(type);
  return true;
}

// An answer whose body does not matter.
void Session::Impl::note_answer(char type) {
  if (type == be::kEmptyQueryResponse || type == be::kFunctionCallResponse) note_completion("");
  if (type == be::kPortalSuspended) note_suspension();
  owed_.on_answer(type);
}

void Session::Impl::note_suspension() {
  const InFlight* item = present();
  ++cursor_readers_;
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run == nullptr) {
    settings_.recall_change();
  } else {
    if (is_settling()) {
      settlements_.on_suspended(run->present(),
                                environment_.config->limits.max_unsettled_statements);
    }
    note_time(*item, *run);
    run->on_suspended(static_cast<std::uint64_t>(std::max(item->max_rows, 0)), followed());
  }
}

// The message that the next answer belongs to; null: nothing is owed.
InFlight* Session::Impl::present() {
  const backend::Owed* owed = owed_.front();
  return owed == nullptr ? nullptr : in_flight_.find(owed->tag);
}

// Names stand for what the message said, or do not, and runs get their post_query with the next ReadyForQuery,
// unless more of the portal's rows may come.
void Session::Impl::on_ended(backend::Tag tag, char answer) {
  InFlight* item = in_flight_.find(tag);
  if (item == nullptr) return;
  names_.settle(item->names, answer != 0);
  if (item->is_malformed && answer != 0) names_.forget();
  if (item->run) {
    item->run->finish(hooks::Outcome::skipped, names_);
    base::make_room(ended_runs_);
    ended_runs_.push_back(std::move(item->run));
  } else if (item->portal && item->portal->run) {
    settle_portal(*item, answer);
  }
  in_flight_.end(tag);
}

// An Execute that was skipped leaves the portal as it was. A cursor of SQL is judged by its Execute, and perhaps was
// never made: the next one is judged anew.
void Session::Impl::settle_portal(const InFlight& item, char answer) {
  const std::shared_ptr<Portal>& portal = item.portal;
  if (answer == be::kBindComplete) {
    note_time(item, *portal->run);
    portal->readers_before = cursor_readers_;
  } else if (item.expect.request == fe::kBind) {
    portal->run->finish(hooks::Outcome::skipped, names_);  // it was never made
  } else if (answer == 0 && portal->bound->is_declared && !portal->run->is_suspended()) {
    portal->run->finish(hooks::Outcome::skipped, names_);
    portal->is_judged = false;
  }
  if (!portal->run->is_finished()) return;
  base::make_room(ended_runs_);
  ended_runs_.push_back(std::move(portal->run));
}

// What the server spent on the present statement of `run`, which `item` asked for. It works on one thing after
// the other, so no time counts twice. It sends the ends of short statements together with those of the long
// one behind them: a SET that nobody follows must not swallow its time.
void Session::Impl::note_time(const InFlight& item, QueryRun& run) {
  const StatementRun* statement = run.present();
  if (statement == nullptr || !statement->execution) return;
  const std::int64_t now_ns = environment_.clock->monotonic_ns();
  run.spend(std::max<std::int64_t>(now_ns - std::max(item.forwarded_ns, server_free_ns_), 0));
  server_free_ns_ = now_ns;
}

// Portals end with their transaction, but for cursors WITH HOLD.
void Session::Impl::end_portals() {
  names_.portals.clear_settled(
      [](const std::shared_ptr<Portal>& portal) { return portal->is_holdable; });
}

// Its name stands for it no longer.
void Session::Impl::end_portal(const std::shared_ptr<Portal>& portal) {
  if (!portal->run) return;
  portal->run->finish_portal(cursor_readers_ != portal->readers_before, names_);
  base::make_room(ended_runs_);
  ended_runs_.push_back(std::move(portal->run));
}

void Session::Impl::handle_server_message() {
  if (std::exchange(swallowing_, false)) {
    if (server_reader_.type() == be::kDataRow) note_asked_rule(server_reader_.body());
    return;
  }
  switch (server_reader_.type()) {
    case be::kCommandComplete:
      if (in_copy_in_ || owed_.has_maybe()) owed_.on_copy_done();
      note_completion(pgwire::parse_command_complete(server_reader_.body()).value_or(""));
      owed_.on_answer(be::kCommandComplete);
      break;
    // Whole: what it makes of messages that wait may end the session, and an error fits between
    // messages only.
    case be::kCopyInResponse:
      pass_bytes(server_reader_, actions_->to_client);
      note_copy_in();
      return;
    case be::kParameterStatus: note_parameter(server_reader_.body()); break;
    case be::kErrorResponse:
      if (handle_error(server_reader_.body())) return;
      break;
    case be::kReadyForQuery:
      if (farewell_ && farewell_->is_servers) return fail(farewell_->sqlstate, farewell_->message);
      if (probe_ != Probe::none) return note_probed_ready();
      handle_ready(server_reader_.bytes());
      return;
    default: break;
  }
  pass_bytes(server_reader_, actions_->to_client);
}

// CommandComplete or EmptyQueryResponse.
void Session::Impl::note_completion(std::string_view tag) {
  in_copy_in_ = false;
  InFlight* item = present();
  if (item == nullptr) return;
  QueryRun* run = item->present_run();
  if (may_read_cursors(run)) ++cursor_readers_;
  if (is_settling()) {
    settlements_.on_complete(run != nullptr ? run->present() : nullptr, tag,
                             run == nullptr || run->statements.size() == 1,
                             environment_.config->limits.max_unsettled_statements);
  }
  if (run != nullptr) {
    note_time(*item, *run);
    const bool may_commit = may_commit_itself(*run);
    run->on_complete(tag, followed());
    if (may_commit) settings_.may_have_committed(false);
  } else if (item->expect.request == fe::kExecute && !item->portal) {
    note_execution(tag);
  } else if (item->expect.request == fe::kFunctionCall && item->touches_session) {
    settings_.recall_change();
  }
}

// And there is no block, as far as anybody knows.
bool Session::Impl::may_commit_itself(QueryRun& run) const {
  const StatementRun* statement = run.present();
  return statement != nullptr && statement->statement->may_commit_itself &&
         transaction_ == TransactionStatus::idle;
}

// By FETCH, or by a function that is given a cursor's name. What a COMMIT runs is left out: triggers that
// were put off.
bool Session::Impl::may_read_cursors(QueryRun* run) {
  const StatementRun* statement = run == nullptr ? nullptr : run->present();
  if (statement == nullptr || !statement->analysis->parsed) return true;
  const sql::Statement& what = *statement->statement;
  const bool ends_cursor =
      what.name_op == sql::NameOp::close || what.name_op == sql::NameOp::close_all;
  return !what.is_session_statement && what.transaction == sql::TransactionOp::none && !ends_cursor;
}

// The text of this Execute is not known; its tag tells something of what it was.
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
  error_since_ready_ = true;
  bool is_replaced = false;
  if (InFlight* item = in_flight_.find(owed_.front_of_client())) {
    QueryRun* run = item->present_run();
    // What answers a message of ours answers no stand-in.
    const bool is_of_ours = owed_.front()->expect.is_ours;
    const Refusal* const refusal = is_of_ours ? nullptr : item->refusal_behind(fields);
    settlements_.on_error(run != nullptr ? run->present() : nullptr,
                          run == nullptr || run->statements.size() == 1);
    if (run != nullptr) {
      if (may_commit_itself(*run)) {
        settings_.may_have_committed(may_change_anything(*run->present()->statement));
      }
      note_failure(*item, *run, fields);
    } else {
      ++cursor_readers_;
    }
    is_replaced = refusal != nullptr;
    if (is_replaced) actions_->to_client.append(refusal->error_response());
    if (item->ends_unnamed) names_.end_unnamed();
  }
  settings_.fail();
  owed_.on_error();
  const bool is_certain = error_was_fatal_ || (farewell_ && farewell_->is_servers);
  if (owed_.has_maybe() && probe_ == Probe::none && !is_certain) begin_probe();
  return is_replaced;
}

void Session::Impl::note_failure(const InFlight& item, QueryRun& run,
                                 const pgwire::ErrorFieldsView& fields) {
  note_time(item, run);
  // In a failed transaction, or cancelled, an Execute ends before it comes to its portal. Behind a
  // ROLLBACK TO the portal can still be run.
  const bool is_attempt = item.expect.request == fe::kExecute && !run.is_suspended() &&
                          (fields.sqlstate == pgwire::sqlstate::kFailedTransaction ||
                           fields.sqlstate == pgwire::sqlstate::kQueryCanceled);
  if (is_attempt) {
    run.on_attempt_failed(fields.sqlstate, fields.message);
  } else {
    ++cursor_readers_;
    run.on_error(fields.sqlstate, fields.message, names_);
  }
}

// The answer to a message is complete. It is released when its post_query hooks have committed.
void Session::Impl::handle_ready(std::string_view message) {
  const auto status =
      pgwire::parse_ready_for_query(message.substr(pgwire::FrameReader::kHeaderBytes));
  if (!status) return fail_server();
  in_copy_in_ = false;
  transaction_ = *status;
  settle_transaction(*status);
  settlements_.on_ready(*status);
  owed_.on_answer(be::kReadyForQuery);
  if (*status == TransactionStatus::idle) end_portals();
  if (ended_runs_.empty() && !settlements_.has_due()) {
    if (probe_ == Probe::none) {
      pass_bytes(server_reader_, actions_->to_client);
    } else {
      actions_->to_client.append(std::string(message));
    }
    return;
  }
  held_ready_ = message;
  if (post_hooks_.start(ended_runs_, &settlements_) == hooks::RunStatus::done) release_ready();
}

// Outside of a transaction block the message was a transaction of its own, which ends with it.
void Session::Impl::settle_transaction(TransactionStatus status) {
  const bool has_failed = std::exchange(error_since_ready_, false);
  if (status != TransactionStatus::idle) {
    settings_.begin();
  } else if (settings_.in_transaction()) {
    if (has_failed) {
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
