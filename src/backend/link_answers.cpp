// SPDX-License-Identifier: Apache-2.0
#include "backend/link.hpp"
#include "backend/server_faults.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/pass_bytes.hpp"

#include <utility>

// What the server says. Everything passes as it came, but for answers to the link's own messages, an error that its user
// has replaced, and a ReadyForQuery.

namespace helios::backend {

namespace be = pgwire::backend;
using pgwire::FrameReader;

namespace {

// Messages that are looked at whole. A longer one streams by unread where that does no harm.
constexpr std::uint32_t kMaxErrorBytes = 16 << 20;
constexpr std::uint32_t kMaxParameterBytes = 1 << 20;
constexpr std::uint32_t kMaxTagBytes = 4096;
// Two bytes for each of at most 65,535 columns.
constexpr std::uint32_t kMaxCopyInBytes = 256 << 10;
constexpr std::uint32_t kReadyForQueryBytes = 5;

}  // namespace

bool Link::step() {
  std::string_view& input = input_.view(*to_client_);
  if (!login_.is_ready() && input.empty() && reader_.at_boundary()) return false;
  if (release_here() || fail_cut()) return true;
  FrameReader::Step step = reader_.next(input);
  if (step == FrameReader::Step::header) {
    if (!begin_message()) return true;
    step = reader_.next(input);
  }
  switch (step) {
    case FrameReader::Step::header:
    case FrameReader::Step::need_more: return false;
    case FrameReader::Step::bad_length: user_->on_malformed(kMalformed); return true;
    case FrameReader::Step::piece: pass(); return true;
    case FrameReader::Step::message:
      login_.is_ready() ? handle_message() : handle_login();
      return true;
  }
  return false;
}

// False = the user has closed the link.
bool Link::begin_message() {
  const std::string_view wrong = choose(reader_.type(), reader_.length());
  if (!wrong.empty()) user_->on_malformed(wrong);
  return wrong.empty() && is_open_;
}

void Link::pass() {
  if (is_dropping_) {
    is_dropping_ = !reader_.last_piece();
  } else {
    pgwire::pass_bytes(reader_, *to_client_);
  }
}

// Between messages of the server only. True = one more answer of the proxy's own was due.
bool Link::release_here() {
  if (here_.empty() || !reader_.at_boundary()) return false;
  const Owed* owed = owed_.front();
  if (owed == nullptr || !owed->expect.is_here) return false;
  to_client_->append(std::move(here_.front().bytes));
  owed_.on_answer_here(here_.front().answer);
  return true;
}

void Link::on_ended(Tag tag, char answer) {
  if (!here_.empty() && here_.front().tag == tag) here_.pop_front();
  answer_bytes_ = 0;
  if (tag != 0) user_->on_ended(tag, answer);
}

// What the next answer belongs to.
Answer Link::present() const {
  const Owed* owed = owed_.front();
  return {owed == nullptr ? 0 : owed->tag, answer_bytes_};
}

// Streams or collects, and counts the message for what it answers. Not empty = no such message, or not here.
std::string_view Link::choose(char type, std::uint32_t length) {
  if (!login_.is_ready()) {
    const ServerLogin::Reading reading = ServerLogin::reading_of(type, length);
    read_on(reading == ServerLogin::Reading::whole);
    return reading == ServerLogin::Reading::refused ? kMalformed : "";
  }
  if (!pgwire::is_backend_type(type)) return kMalformed;
  if (type == be::kNoticeResponse && !may_pass_notice()) {
    drop();
    return {};
  }
  if (pgwire::is_asynchronous(type)) {
    read_on(type == be::kParameterStatus && length <= kMaxParameterBytes);
    return {};
  }
  const bool is_ready = type == be::kReadyForQuery;
  if (is_ready && length != kReadyForQueryBytes) return kMalformed;
  if (const std::string_view wrong = what_is_wrong(type); !wrong.empty()) return wrong;
  if (probe_ != Probe::none && type == be::kEmptyQueryResponse) {
    probe_ = Probe::answered;
    is_swallowing_ = true;
    reader_.collect();
    return length == sizeof length ? "" : kMalformed;
  }
  const Owed* owed = owed_.front();
  if (owed != nullptr && owed->expect.is_ours) {
    const bool is_readable = type == be::kErrorResponse || (is_ready && probe_ != Probe::none);
    if (!is_readable) return swallow(type, length);
  } else if (owed != nullptr && owed->expect.is_bounded) {
    return choose_bounded(type, length);
  } else {
    answer_bytes_ += reader_.total_bytes();
  }
  return choose_answer(type, length);
}

// Not empty = it cannot be an answer to what the server was sent.
std::string_view Link::what_is_wrong(char type) const {
  const Owed* owed = owed_.front();
  const bool is_own = owed != nullptr && owed->expect.is_ours;
  const bool is_judged = is_own || (is_exact_ && is_count_certain_);
  const bool is_asking = probe_ != Probe::none || is_breaking_;
  if ((!is_judged && !is_asking) || type == be::kErrorResponse) return {};
  const bool is_ready = type == be::kReadyForQuery;
  if (probe_ != Probe::none) {
    const bool is_end = type == be::kEmptyQueryResponse && probe_ == Probe::asked;
    return is_ready || (is_end && !delayed_ready_.empty()) ? "" : kLostCopy;
  }
  const bool is_copy_in = type == be::kCopyInResponse || type == be::kCopyBothResponse;
  if (is_breaking_ && is_copy_in) return kUnfit;
  if (!is_judged) return {};
  // It ends whatever is left in front of what it answers. Also a server that was asked nothing can fail.
  if (is_ready && !is_own) {
    return owed_.awaits_ready() || (had_error_ && !owed_.is_skipping()) ? "" : kUnasked;
  }
  if (owed == nullptr) return kUnasked;
  return may_answer(owed->expect.request, type) ? "" : kUnfit;
}

std::string_view Link::choose_answer(char type, std::uint32_t length) {
  bool is_whole = false;
  switch (type) {
    case be::kReadyForQuery: is_whole = true; break;
    case be::kCommandComplete:
      if (length > kMaxTagBytes) return kMalformed;
      is_whole = true;
      break;
    case be::kCopyInResponse:
    case be::kCopyBothResponse:
      if (length > kMaxCopyInBytes) return kMalformed;
      is_whole = true;
      break;
    case be::kErrorResponse:
      is_whole = length <= kMaxErrorBytes;
      if (!is_whole && is_asking_rules_) return kMalformed;
      // Unread, it passes; what stands for it is said instead.
      if (!is_whole && note_error({})) {
        drop();
        return {};
      }
      break;
    default: note_answer(type); break;
  }
  read_on(is_whole);
  return {};
}

void Link::read_on(bool is_whole) {
  if (is_whole) {
    reader_.collect();
  } else {
    reader_.stream();
  }
}

// The client does not expect the answer to a message of the link's own. Only those to questions have a body.
std::string_view Link::swallow(char type, std::uint32_t length) {
  if (owed_.front()->expect.asks_rule) {
    if (length > kMaxTagBytes) return kMalformed;
    if (const std::string_view wrong = note_rule_answer(type); !wrong.empty()) return wrong;
  } else if (length != sizeof length) {
    return kMalformed;
  }
  is_swallowing_ = true;
  reader_.collect();
  if (owed_.front()->expect.is_fence) is_fenced_ = false;
  owed_.on_answer(type);
  return {};
}

// An answer whose body does not matter.
void Link::note_answer(char type) {
  if (type == be::kEmptyQueryResponse || type == be::kFunctionCallResponse) complete("");
  if (type == be::kPortalSuspended) {
    user_->on_suspension(present());
    answer_bytes_ = 0;
  }
  owed_.on_answer(type);
}

// The answer to one statement is complete.
void Link::complete(std::string_view tag) {
  is_reading_copy_ = is_breaking_ = false;
  user_->on_completion(present(), tag);
  answer_bytes_ = 0;
}

void Link::handle_message() {
  if (std::exchange(is_swallowing_, false)) {
    if (reader_.type() == be::kDataRow) note_asked_rule(reader_.body());
    return;
  }
  switch (reader_.type()) {
    case be::kCommandComplete: handle_completion(); return;
    // Whole: what it makes of messages that wait may end the session, and an error fits between
    // messages only.
    case be::kCopyInResponse:
    case be::kCopyBothResponse:
      pass();
      note_copy_in();
      return;
    case be::kParameterStatus: note_parameter(reader_.body()); break;
    case be::kErrorResponse:
      if (note_error(reader_.body())) return;
      break;
    case be::kReadyForQuery: handle_ready(); return;
    default: break;
  }
  pass();
}

void Link::handle_completion() {
  if (cut_ != Cut::none) {
    cut_ = is_bounded_query() ? Cut::completed : Cut::to_fail;
    cut_tag_ = pgwire::parse_command_complete(reader_.body()).value_or("");
    return;
  }
  if (is_reading_copy_ || owed_.has_maybe()) {
    const std::uint64_t bytes = answer_bytes_;
    owed_.on_copy_done();
    answer_bytes_ = bytes;
  }
  complete(pgwire::parse_command_complete(reader_.body()).value_or(""));
  owed_.on_answer(be::kCommandComplete);
  pass();
}

// True = the client is told something else.
bool Link::note_error(std::string_view body) {
  is_reading_copy_ = false;
  const pgwire::ErrorFieldsView fields = pgwire::parse_error_response(body);
  const bool is_end = fields.severity == "FATAL" || fields.severity == "PANIC";
  if (probe_ != Probe::none && !is_end) {
    user_->on_malformed(kLostCopy);
    return true;
  }
  had_fatal_ |= is_end;
  had_error_ = true;
  cut_ = Cut::none;
  const bool is_broken = std::exchange(is_breaking_, false) && is_answer_to_break(fields);
  const bool is_own = !owed_.empty() && owed_.front()->expect.is_ours;
  const bool is_fence = is_own && owed_.front()->expect.is_fence;
  const bool is_extended = is_batch_open_ || last_flush_ != Flush::none;
  const bool is_unowed = owed_.empty() && is_extended && !is_end;
  const Tag tag = is_fence ? 0 : owed_.front_of_client();
  const bool is_replaced = user_->on_error({tag, is_own ? 0 : answer_bytes_}, is_own, fields);
  answer_bytes_ = 0;
  owed_.on_error();
  if (is_unowed) {
    owed_.begin_skipping();
    is_ready_due_ = last_flush_ == Flush::own;
  }
  if (owed_.is_skipping()) is_fenced_ = false;  // nothing was sent behind a fence and its Query
  if (is_fence) end_skipping();
  if (std::exchange(is_asking_rules_, false) && !is_end) return refuse_for_rules(fields);
  if (is_broken) {
    user_->on_copy_broken();
  } else if (owed_.has_maybe() && probe_ == Probe::none && !had_fatal_) {
    // Behind the client's last word nothing is judged any more, and the server would not answer.
    is_exact_ && !is_finished_ ? begin_probe() : lose_count();
  }
  return is_replaced || is_broken;
}

// Some Sync may be answered yet that is not owed any more.
void Link::lose_count() {
  is_count_certain_ = false;
  owed_.end_all();
}

void Link::handle_ready() {
  if (probe_ != Probe::none) return note_probed_ready();
  if (is_bounded_query() && !note_bounded_ready()) return;
  be_ready(reader_.bytes(), reader_.points_into_input());
}

void Link::be_ready(std::string_view message, bool is_view) {
  const auto status = pgwire::parse_ready_for_query(message.substr(FrameReader::kHeaderBytes));
  if (!status) return user_->on_malformed(kMalformed);
  is_reading_copy_ = false;
  transaction_ = *status;
  user_->on_status(*status, std::exchange(had_error_, false));
  owed_.on_answer(be::kReadyForQuery);
  answer_bytes_ = 0;
  user_->on_ready(message, is_view);
}

// The proxy's own login. True: the server has let it in, which the client is told.
bool Link::answer_request(std::string_view body) {
  using Kind = auth::Responder::Step::Kind;
  auth::Responder::Step step = login_.responder()->resume(body);
  switch (step.kind) {
    case Kind::in: return true;
    case Kind::send: send(std::move(step.text)); return false;
    case Kind::wait: return false;
    case Kind::failed: user_->on_login_impossible(step.text); return false;
  }
  return false;
}

// A server that tells of a session before it has let anybody in is none.
bool Link::is_too_early() const {
  const char type = reader_.type();
  return !login_.is_relayed() && !login_.is_authenticated() &&
         (type == be::kParameterStatus || type == be::kBackendKeyData);
}

// A client in clear cannot bind the channel that the server has to us, and takes the offer for an attack. True: he was
// sent another one, without SCRAM-SHA-256-PLUS.
bool Link::relay_request(std::string_view body) {
  const auto request = pgwire::parse_authentication(body);
  if (!request || request->request != pgwire::AuthenticationRequest::sasl) return false;
  auto mechanisms = pgwire::parse_mechanisms(request->data);
  if (!mechanisms || std::erase(*mechanisms, auth::kScramPlus) == 0) return false;
  to_client_->append(pgwire::sasl_request(*mechanisms));
  return true;
}

void Link::handle_login() {
  if (is_too_early() || (!login_.is_relayed() && had_fatal_))
    return user_->on_malformed(kMalformed);
  const std::string_view body = reader_.body();
  switch (reader_.type()) {
    case be::kAuthentication:
      if (!login_.is_relayed() && !answer_request(body)) return;
      login_.on_request(body);
      if (login_.is_relayed() && channel_binding_ && relay_request(body)) return;
      break;
    case be::kBackendKeyData:
      if (auto key = pgwire::parse_cancel_key(body)) user_->on_cancel_key(std::move(*key));
      break;
    case be::kParameterStatus: note_parameter(body); break;
    // Every error during a login ends the connection.
    case be::kErrorResponse:
      had_fatal_ = true;
      user_->on_login_rejected(pgwire::parse_error_response(body));
      break;
    case be::kReadyForQuery: {
      const auto status = pgwire::parse_ready_for_query(body);
      if (!status || !login_.is_authenticated()) return user_->on_malformed(kMalformed);
      transaction_ = *status;
      login_.on_ready();
      had_fatal_ = false;
      user_->on_logged_in();
      break;
    }
    default: break;
  }
  pass();
}

}  // namespace helios::backend
