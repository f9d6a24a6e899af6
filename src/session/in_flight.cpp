// SPDX-License-Identifier: Apache-2.0
#include "session/in_flight.hpp"

#include <utility>

namespace helios::session {

const Refusal* InFlight::refusal_behind(const pgwire::ErrorFieldsView& error) const {
  if (refusal) return answers_refusal(expect.request, error) ? refusal.get() : nullptr;
  QueryRun* const present = present_run();
  const StatementRun* const statement = present == nullptr ? nullptr : present->present();
  if (statement == nullptr || !answers_failing_statement(error)) return nullptr;
  return statement->refusal.get();
}

// One by one: an empty message, made and moved here, would cost several times as much, for every message.
void InFlight::clear() {
  expect = {};
  run.reset();
  portal.reset();
  refusal.reset();
}

namespace {

namespace fe = pgwire::frontend;

bool ends_unit(const backend::Expect& expect) {
  const char request = expect.request;
  const bool is_end = request == fe::kQuery || request == fe::kFunctionCall || request == fe::kSync;
  return is_end && !expect.is_maybe;
}

}  // namespace

backend::Tag InFlightLog::add(InFlight&& message) {
  return note_added(entries_.emplace(std::move(message)));
}

backend::Tag InFlightLog::add(char request, bool may_touch_session) {
  return note_added(entries_.emplace(request, may_touch_session));
}

backend::Tag InFlightLog::note_added(InFlight& message) {
  unit_touches_ |= message.touches_session;
  if (ends_unit(message.expect)) message.touches_session = std::exchange(unit_touches_, false);
  message.run_bytes = message.run ? message.run->held_bytes : 0;
  run_bytes_ += message.run_bytes;
  touching_ += message.touches_session ? 1 : 0;
  return entries_.end() - 1;
}

void InFlightLog::end(backend::Tag tag) {
  InFlight* message = find(tag);
  if (message == nullptr) return;
  run_bytes_ -= message->run_bytes;
  touching_ -= message->touches_session ? 1 : 0;
  if (tag != entries_.first()) return message->clear();
  do {
    entries_.pop_front();
  } while (!entries_.empty() && !is_there(entries_.front()));
}

}  // namespace helios::session
