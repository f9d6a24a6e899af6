// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the session knows of each message that it has forwarded and that the server has not answered to its
// end: what it means, whose story its answers are, what they settle. backend::OwedAnswers knows which answer
// belongs to which of them; the two meet by tag.
//
// Thread rule: the session's.

#include "backend/owed_answers.hpp"
#include "base/ring.hpp"
#include "pgwire/message_types.hpp"
#include "session/names.hpp"
#include "session/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace helios::session {

struct InFlight {
  InFlight() = default;
  explicit InFlight(char request, bool may_touch_session = false)
      : expect({.request = request}), touches_session(may_touch_session) {}
  // What must fail was sent in the place of such a message, see refusal.hpp.
  InFlight(char request, const Refusal& refused)
      : expect({.request = request}), refusal(std::make_unique<Refusal>(refused)) {}

  backend::Expect expect;
  bool touches_session = false;  // may change settings or the transaction
  bool ends_unnamed = false;     // Parse: the unnamed statement is gone, even if this fails
  bool is_malformed = false;     // it should be answered with an error
  std::int32_t max_rows = 0;     // Execute
  std::int64_t forwarded_ns =
      0;  // when it was handed to the server; noted where a run follows it, and of a Sync where there are hooks
  NameChanges names;                 // to be settled when it ends
  std::size_t run_bytes = 0;         // what `run` held when it was forwarded
  std::unique_ptr<QueryRun> run;     // Query, FunctionCall; null when nobody follows its statements
  std::shared_ptr<Portal> portal;    // Bind, Execute: of what; null: not known
  std::unique_ptr<Refusal> refusal;  // what fails was sent instead: its error becomes this one

  // The run that its answers belong to: its own, or its portal's.
  [[nodiscard]] QueryRun* present_run() const {
    if (run) return run.get();
    return portal ? portal->run.get() : nullptr;
  }
  // The message has ended: lets go of what it held.
  void clear();
  // What an error of it stands for; null: for itself.
  [[nodiscard]] const Refusal* refusal_behind(const pgwire::ErrorFieldsView& error) const;
};

class InFlightLog {
 public:
  // The next add() throws nothing.
  void make_room_for_add() { entries_.make_room(); }
  // Returns its tag. A Sync, Query or FunctionCall takes over that something since the last one touches the
  // session: an error before its ReadyForQuery undoes that.
  backend::Tag add(InFlight&& message);
  // The same for one of which nothing else is known: it is made in its place, which costs half.
  backend::Tag add(char request, bool may_touch_session);
  // Null: there is no such message, or it has ended.
  [[nodiscard]] InFlight* find(backend::Tag tag) {
    if (!entries_.contains(tag)) return nullptr;
    InFlight& message = entries_[tag];
    return is_there(message) ? &message : nullptr;
  }
  // It has ended. Does nothing if it has before.
  void end(backend::Tag tag);

  // Some message may change settings or the transaction, or may undo, by an error before its end, what
  // another one in front of it has changed.
  [[nodiscard]] bool touches_session() const { return touching_ > 0; }
  // About what the messages and their runs take.
  [[nodiscard]] std::size_t held_bytes() const { return entries_.held_bytes() + run_bytes_; }

  template <typename Visit>
  void for_each(Visit visit) {
    for (backend::Tag tag = entries_.first(); tag != entries_.end(); ++tag) {
      if (is_there(entries_[tag])) visit(entries_[tag]);
    }
  }

 private:
  static bool is_there(const InFlight& message) { return message.expect.request != 0; }
  backend::Tag note_added(InFlight& message);

  base::Ring<InFlight> entries_{1};  // by tag
  std::size_t run_bytes_ = 0;
  std::size_t touching_ = 0;   // messages that touch the session
  bool unit_touches_ = false;  // something since the last Sync, Query or FunctionCall
};

}  // namespace helios::session
