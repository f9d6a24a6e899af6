// SPDX-License-Identifier: Apache-2.0
#include "session/answers.hpp"
#include "session/refusal_records.hpp"

#include <utility>

// Answers with caps: which rows pass, and how one that was cut ends.

namespace helios::session {
namespace {

StatementRun* present_statement(const InFlight* item) {
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  return run == nullptr ? nullptr : run->present();
}

}  // namespace

bool Answers::may_pass_row(backend::Tag tag, std::uint64_t bytes) {
  return may_pass(tag, {.rows = 1, .bytes = bytes});
}

// Behind the statement that a piece ends with nothing runs that could be cut: what comes is a line of the server's log.
bool Answers::may_pass_notice(backend::Tag tag, std::uint64_t bytes) {
  return is_piece_over_ || may_pass(tag, {.bytes = bytes});
}

// A portal keeps its caps when its story has ended: behind a ROLLBACK TO it can be run again.
bool Answers::may_pass(backend::Tag tag, AnswerCap::Part part) {
  const InFlight* item = context_.in_flight.find(tag);
  StatementRun* statement = present_statement(item);
  AnswerCaps* caps = nullptr;
  if (item != nullptr && item->portal) {
    caps = &item->portal->caps;
  } else if (statement != nullptr) {
    caps = &statement->caps;
  }
  if (caps == nullptr || caps->empty()) return true;
  cut_ = caps->pass(part);
  context_.actions->send_cap_cancel |= cut_.has_value();
  if (QueryRun* run = item->present_run()) cut_ ? run->note_cut() : run->note_rows(part.rows);
  return !cut_;
}

// The server has answered with an error, its own or one that it was made to answer.
bool Answers::end_cut(const backend::Answer& answer) {
  const CutAnswer cut = *std::exchange(cut_, std::nullopt);
  const StatementRun* statement = present_statement(context_.in_flight.find(answer.tag));
  const Refusal refusal = note_cut(context_, cut, statement, false);
  note_error(answer,
             {.severity = "ERROR", .sqlstate = refusal.sqlstate, .message = refusal.message},
             &refusal);
  return true;
}

void Answers::on_cut_completion(backend::Answer answer, std::string_view command_tag) {
  if (!cut_) return on_completion(answer, command_tag);
  const CutAnswer cut = *std::exchange(cut_, std::nullopt);
  const StatementRun* statement = present_statement(context_.in_flight.find(answer.tag));
  const Refusal refusal = note_cut(context_, cut, statement, true);
  on_completion(answer, command_tag);
  context_.actions->to_client.append(refusal.error_response());
}

}  // namespace helios::session
