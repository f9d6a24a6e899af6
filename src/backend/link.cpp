// SPDX-License-Identifier: Apache-2.0
#include "backend/link.hpp"

#include "backend/server_faults.hpp"
#include "base/byte_reader.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/pass_bytes.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "sql/analyzer.hpp"

#include <array>
#include <utility>

// What a link is sent. Its answers: link_answers.cpp; COPY: link_copy.cpp.

namespace helios::backend {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;

namespace {

constexpr std::array<std::string_view, 2> kAskedRules{"standard_conforming_strings",
                                                      "client_encoding"};

bool is_of_batch(char request) {
  switch (request) {
    case fe::kParse:
    case fe::kBind:
    case fe::kDescribe:
    case fe::kExecute:
    case fe::kClose:
    case fe::kFlush: return true;  // one that fails
    default: return false;
  }
}

// A message of the client's that is answered up to a ReadyForQuery of its own.
bool ends_with_ready(char request) { return request == fe::kQuery || request == fe::kFunctionCall; }

}  // namespace

void Link::begin_event(base::Output& to_server, base::Output& to_client) {
  to_server_ = &to_server;
  to_client_ = &to_client;
}

void Link::begin_login(std::string startup_packet, std::unique_ptr<auth::Responder> responder) {
  is_open_ = true;
  if (responder && channel_binding_) responder->bind(*channel_binding_);
  login_.answer_with(std::move(responder));
  send(std::move(startup_packet));
}

void Link::close() {
  input_.clear();
  is_open_ = false;
}

std::size_t Link::held_bytes() const {
  std::size_t here = 0;
  for (const AnswerHere& answer : here_) here += sizeof(AnswerHere) + answer.bytes.capacity();
  return input_.held_bytes() + reader_.held_bytes() + owed_.held_bytes() +
         delayed_ready_.capacity() + here;
}

void Link::forward(const pgwire::FrameReader& message) {
  if (message.type() == fe::kFlush && last_flush_ == Flush::none) last_flush_ = Flush::clients;
  pgwire::pass_bytes(message, *to_server_);
}

void Link::expect(Tag tag, const Expect& expected) {
  if (is_of_batch(expected.request)) {
    is_batch_open_ = true;
    was_asked_ = false;
  } else if (!expected.is_maybe) {
    ++unit_;
    if (expected.request == fe::kSync) is_batch_open_ = false;
  }
  last_flush_ = Flush::none;
  if (expected.may_copy_in) has_copy_begun_ = false;
  const bool ends_skipping = is_skipping_for_own() && ends_with_ready(expected.request);
  is_ready_due_ = false;
  // Behind a count that was lost nobody can say which answer is for what: nothing is owed, so nobody waits for it.
  is_count_certain_ ? owed_.push(tag, expected) : on_ended(tag, 0);
  if (ends_skipping) end_skipping();
}

void Link::skip(char type) {
  if (is_skipping_for_own() && ends_with_ready(type)) end_skipping();
  is_ready_due_ = false;
}

// The server skips a Query for an error that was not its own. Behind a Query the client waits for ReadyForQuery.
void Link::end_skipping() {
  is_ready_due_ = false;
  send(pgwire::serialize_sync());
  expect(0, {.request = fe::kSync});
}

void Link::answer_here(Tag tag, char request, char answer, std::string bytes) {
  owed_.make_room_for_push();
  here_.push_back({tag, answer, std::move(bytes)});
  is_batch_open_ = true;
  owed_.push(tag,
             {.request = request, .is_here = true});  // and where the server skips, it ends at once
}

void Link::fence() {
  const bool may_fail = last_flush_ != Flush::none && !owed_.is_skipping();
  if (!is_exact_ || !may_fail) return;
  send(pgwire::serialize_close_statement(own_name_));
  expect(0, {.request = fe::kClose, .is_ours = true, .is_fence = true});
  is_fenced_ = true;
}

void Link::send_own(char type, std::string message) {
  send(std::move(message));
  expect(0, {.request = type, .is_ours = true});
}

void Link::ask_for_answers() {
  if (!may_keep_answers()) return;
  was_asked_ = true;
  if (last_flush_ == Flush::none) last_flush_ = Flush::own;
  send(pgwire::serialize_flush());
}

// ---- How the server reads a text

bool Link::make_rules_certain() {
  if (!owed_.empty() || is_cancelling_) return false;
  // What is sent now is skipped up to the next Sync, however it reads.
  if (owed_.is_skipping()) {
    owed_.changes_are_known();
    return true;
  }
  ask_reading_rules();
  return false;
}

// Under the link's own name, which is free again afterwards. SHOW takes no snapshot.
void Link::ask_reading_rules() {
  for (const std::string_view rule : kAskedRules) {
    send_own(fe::kClose, pgwire::serialize_close_statement(own_name_));
    send_own(fe::kParse, pgwire::serialize_parse(own_name_, "SHOW " + std::string(rule)));
    send_own(fe::kBind, pgwire::serialize_bind(own_name_, own_name_, {}, {}));
    send(pgwire::serialize_execute(own_name_, 0));
    expect(0, {.request = fe::kExecute, .is_ours = true, .asks_rule = true});
    send_own(fe::kClose, pgwire::serialize_close_portal(own_name_));
  }
  send_own(fe::kClose, pgwire::serialize_close_statement(own_name_));
  is_asking_rules_ = true;
  has_rule_row_ = false;
  asked_rules_ = 0;
  ask_for_answers();
}

// One row and its end answer a question; the row is looked at when all of it is there. Empty = that may be.
std::string_view Link::note_rule_answer(char type) {
  if (type == be::kDataRow) return std::exchange(has_rule_row_, true) ? kNotARule : "";
  if (type != be::kCommandComplete || !std::exchange(has_rule_row_, false)) return kNotARule;
  if (++asked_rules_ == kAskedRules.size()) {
    is_asking_rules_ = false;
    owed_.changes_are_known();
  }
  return {};
}

// `row`: the body of the DataRow with one answer; they come in the order of the questions.
void Link::note_asked_rule(std::string_view row) {
  base::ByteReader reader(row);
  const std::int16_t columns = reader.read_i16();
  const std::uint32_t length = reader.read_u32();
  constexpr std::size_t kHeadBytes = 6;
  const bool is_value = columns == 1 && row.size() == kHeadBytes + std::size_t{length};
  const std::string_view value = is_value ? row.substr(kHeadBytes) : std::string_view();
  const bool is_switch = asked_rules_ == 0;
  const bool fits = is_switch ? value == "on" || value == "off" : !value.empty();
  if (!fits) return user_->on_malformed(kNotARule);
  note_reading_rule(kAskedRules[asked_rules_], value);
}

// A question was answered by an error, so the server skips what comes next. True = the client was told what that means for
// its message. Whoever has the server cancel what it does sees the server's own words.
bool Link::refuse_for_rules(const pgwire::ErrorFieldsView& fields) {
  is_ready_due_ = true;
  if (fields.sqlstate == pgwire::sqlstate::kQueryCanceled) return false;
  to_client_->append(pgwire::serialize_error_response(
      pgwire::Severity::error, pgwire::sqlstate::kFeatureNotSupported,
      "Query refused: what it means depends on client_encoding and standard_conforming_strings, "
      "which may have changed "
      "since the last Sync, and the server does not tell them: " +
          std::string(fields.message) + " (" + std::string(fields.sqlstate) + ")"));
  return true;
}

bool Link::note_reading_rule(std::string_view name, std::string_view value) {
  if (name == kAskedRules[0]) {
    rules_.standard_conforming_strings = value == "on";
  } else if (name == kAskedRules[1]) {
    rules_.encoding_is_ascii_safe = sql::is_ascii_safe_encoding(value);
  } else {
    return false;
  }
  return true;
}

// What the server reports about settings.
void Link::note_parameter(std::string_view body) {
  const auto parameter = pgwire::parse_parameter_status(body);
  if (!parameter || note_reading_rule(parameter->name, parameter->value)) return;
  user_->on_parameter(parameter->name, parameter->value);
}

}  // namespace helios::backend
