// SPDX-License-Identifier: Apache-2.0
#pragma once

// What goes to the server in the place of a client's message: the message itself, or, where it is refused, one that makes
// the server fail (see refusal.hpp). Either way it is noted in SessionContext::in_flight and expected by the link, so that
// its answers find it.
//
// Order within one message: define names, send, then expect(). Between taking a run from the judge and expect() nothing
// may throw: follow() and adopt() see to that.
//
// Thread rule: the session's. Errors: std::bad_alloc, and what backend::Link::expect() passes through.

#include "pgwire/extended.hpp"
#include "session/present_message.hpp"
#include "session/session_context.hpp"
#include "session/statement_judge.hpp"

#include <cstdint>
#include <string_view>

namespace helios::session {

class Forwarder {
 public:
  Forwarder(SessionContext& context, StatementJudge& judge, PresentMessage& present)
      : context_(context), judge_(judge), present_(present) {}

  // ---- What was sent.
  // A message that is answered, or one of ours in its place.
  void expect(InFlight&& item);
  // One of which nothing else is known.
  void expect(char request, bool may_touch_session = false);
  // As expect(), for a Query or FunctionCall: `item` gets the run that was judged, if there is one. Returns its tag.
  backend::Tag follow(InFlight&& item);
  // As expect(), for a Bind or Execute: that run lives by the portal, however often that is executed.
  void adopt(InFlight&& item);
  // The present message goes as it came; views into it end.
  void forward_as(InFlight&& item);
  // A Query ends the unnamed statement and the unnamed portal.
  [[nodiscard]] NameChanges drop_unnamed();
  // A message that runs nothing and that the server cannot read either: it is the one to say what is wrong. Should it
  // take it for something all the same, nobody knows what names stand for any more.
  void forward_malformed();

  // ---- Refusals. The client gets `refusal` as its error, in the place of the answer that it waits for.
  void refuse_query(const Refusal& refusal);
  // What the grammar refuses, the server is asked about, which runs nothing. Requires: no batch is open. If that had
  // failed, the server would skip a Query, but not the Sync here.
  void refuse_unreadable_query(const Refusal& refusal, std::string_view text);
  void refuse_function_call(const Refusal& refusal);
  // A message of the extended protocol: what the client sends up to its next Sync is dropped. `parse`: of a Parse, where
  // it can be read; null: it is none, or was too long.
  void refuse_item(const Refusal& refusal, const pgwire::ParseView* parse = nullptr);
  void refuse_unreadable_parse(const Refusal& refusal, const pgwire::ParseView& view);

  // ---- Dropping. What the client sends up to its next Sync is dropped.
  void skip_to_sync() { is_skipping_ = true; }
  void end_skipping() { is_skipping_ = false; }
  [[nodiscard]] bool is_skipping() const { return is_skipping_; }

 private:
  void make_room();
  backend::Tag add(InFlight&& item);
  std::int64_t note_time();
  void refuse_here(const Refusal& refusal);
  void ask_what_is_wrong(const Refusal& refusal, const pgwire::ParseView& view);

  SessionContext& context_;
  StatementJudge& judge_;
  PresentMessage& present_;
  bool is_skipping_ = false;
};

}  // namespace helios::session
