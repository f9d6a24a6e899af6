// SPDX-License-Identifier: Apache-2.0
#include "session/in_flight.hpp"

#include <iterator>

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
  entries_.push_back(std::move(message));
  return note_added();
}

backend::Tag InFlightLog::add(char request, bool may_touch_session) {
  entries_.emplace_back(request, may_touch_session);
  return note_added();
}

backend::Tag InFlightLog::note_added() {
  InFlight& message = entries_.back();
  unit_touches_ |= message.touches_session;
  if (ends_unit(message.expect)) message.touches_session = std::exchange(unit_touches_, false);
  message.run_bytes = message.run ? message.run->held_bytes : 0;
  run_bytes_ += message.run_bytes;
  touching_ += message.touches_session ? 1 : 0;
  return first_tag_ + entries_.size() - 1;
}

void InFlightLog::end(backend::Tag tag) {
  InFlight* message = find(tag);
  if (message == nullptr) return;
  run_bytes_ -= message->run_bytes;
  touching_ -= message->touches_session ? 1 : 0;
  message->clear();
  while (first_ < entries_.size() && !is_there(entries_[first_])) ++first_;
  compact();
}

void InFlightLog::compact() {
  constexpr std::size_t kCompactAt = 1024;
  if (first_ == entries_.size()) {
    first_tag_ += entries_.size();
    if (entries_.capacity() > kCompactAt) {
      std::vector<InFlight>().swap(entries_);
    } else {
      entries_.clear();
    }
    first_ = 0;
  } else if (first_ >= kCompactAt && first_ * 2 >= entries_.size()) {
    // Into memory of its own size: whoever waits for room must see it come back.
    const auto rest = std::next(entries_.begin(), static_cast<std::ptrdiff_t>(first_));
    entries_ = std::vector<InFlight>(std::make_move_iterator(rest),
                                     std::make_move_iterator(entries_.end()));
    first_tag_ += first_;
    first_ = 0;
  }
}

}  // namespace helios::session
