// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a client says once it is in: what becomes of each of its messages, in their order. Query and FunctionCall are
// SimpleQuery's, Parse to Close ExtendedQuery's; what is not judged passes as it comes.
//
// A message that cannot be decided yet is held, with everything behind it, until the server has answered earlier ones or
// a hook is through. Where those answers would come with the next Sync only, a Flush of the link's own asks for them.
//
// Flow: step() and step_judge() until neither moves, then ask_for_answers().
//
// Thread rule: the session's. Lifetime: what it is constructed with outlives it. Not destroyed while pending().

#include "base/input.hpp"
#include "pgwire/frame_reader.hpp"
#include "session/blocking.hpp"
#include "session/deadlines.hpp"
#include "session/extended_query.hpp"
#include "session/footprint.hpp"
#include "session/forwarder.hpp"
#include "session/present_message.hpp"
#include "session/session_context.hpp"
#include "session/simple_query.hpp"
#include "session/statement_judge.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

// Where a session reads its client's bytes.
struct ClientInput {
  base::Input bytes;
  pgwire::FrameReader reader;
};

class Conversation {
 public:
  // `wake` is called on the home executor when a hook, or a text that was read elsewhere, is through.
  Conversation(SessionContext& context, ClientInput& input, Deadlines& deadlines,
               Footprint& footprint, std::function<void()> wake);

  // Goes on with the message that is held, or with the next one. False = it needs bytes, answers or a hook.
  bool step();
  // A message that waited for a hook, or for earlier answers, may be decided now. `is_ending`: it is given up, and
  // nothing is done about it.
  bool step_judge(bool is_ending);
  // Where something waits for answers that the server may be keeping back.
  void ask_for_answers();
  // Messages are taken. In the header because it is asked several times for each message, and is to be inlined there.
  [[nodiscard]] bool may_go_on() const {
    if (!is_through() || has_taken_leave_ || farewell_ || context_.link->is_amid_notification())
      return false;
    // Limits hold between messages: one that has begun is noted already.
    return input_.reader.inside_message() || has_room_for_replies();
  }
  // Texts are looked at: hooks are loaded or may be later, or helios.kv() is to be answered.
  [[nodiscard]] bool is_watching() const;
  // Nothing is held or being judged, nothing of a message has come.
  [[nodiscard]] bool is_between_messages() const;
  // Everything that it was told has been handled.
  [[nodiscard]] bool is_through() const {
    return !judge_.busy() && !present_.is_held() && !simple_.is_sending();
  }
  // A Query of which the server has got the first pieces.
  [[nodiscard]] bool is_sending() const { return simple_.is_sending(); }
  // The client's Terminate was forwarded.
  [[nodiscard]] bool has_taken_leave() const { return has_taken_leave_; }

  // ---- Of the link. See backend::LinkUser.
  void on_copy_in(bool is_reading);
  void on_copy_broken();
  void on_skip_to_sync() { forwarder_.skip_to_sync(); }
  bool is_last_piece(pgwire::TransactionStatus status, bool has_failed) {
    return simple_.is_last_piece(status, has_failed);
  }

  // ---- The end
  // No message is taken any more. The client gets this FATAL when it has its answers: is_farewell_due().
  void say_farewell(std::string_view sqlstate, std::string message);
  [[nodiscard]] bool has_farewell() const { return farewell_ != nullptr; }
  [[nodiscard]] bool is_farewell_due() const;
  // Requires: has_farewell().
  void bid_farewell() { context_.end.fail(farewell_->sqlstate, farewell_->message); }
  // What is being judged is the present statement: it is given up. False = it is not, or nothing is.
  bool cancel();
  // The session is ending: nothing is forwarded any more. step_judge() until the judge is not busy.
  void give_up();
  [[nodiscard]] StatementJudge& judge() { return judge_; }
  [[nodiscard]] const StatementJudge& judge() const { return judge_; }

  // Work goes on elsewhere.
  [[nodiscard]] bool pending() const { return judge_.pending(); }
  [[nodiscard]] std::size_t held_bytes() const {
    return judge_.held_bytes() + present_.held_bytes() + simple_.held_bytes();
  }

 private:
  // What to do with a client message.
  enum class Plan {
    pass,          // forward it as it comes
    collect,       // then it is judged, or followed
    drop,          // discard it
    drop_refused,  // discard it, then refuse it
  };

  // A FATAL for a client that still has answers to come.
  struct Farewell {
    std::string sqlstate;
    std::string message;
  };

  [[nodiscard]] bool is_held_up(std::string_view input);
  bool step_input();
  [[nodiscard]] bool handle_header(char type);
  [[nodiscard]] bool is_within_limits(char type);
  void break_copy(char type);
  Plan plan_message(char type);
  Plan plan_skipped(char type);
  Plan plan_copy(char type);
  Plan plan_judged(char type);
  Plan plan_sync();
  // Texts are looked at, be it only for what they set.
  [[nodiscard]] bool is_reading() const { return is_watching() || reads_for_blocks(context_); }
  [[nodiscard]] bool has_room_for(std::uint32_t bytes) const;
  // Nothing owed is the usual case.
  [[nodiscard]] bool has_room_for_replies() const {
    return context_.link->owed().empty() || has_room_behind_others();
  }
  [[nodiscard]] bool has_room_behind_others() const;
  bool watch_text();
  void end_streamed_message();
  Refusal refusal_of_length();

  void handle_message();
  bool step_held();
  void begin_wait();
  void end_wait();
  bool step_present();
  void carry_out(Decision& decision);

  SessionContext& context_;
  ClientInput& input_;
  Deadlines& deadlines_;
  Footprint& footprint_;
  StatementJudge judge_;
  PresentMessage present_;
  Forwarder forwarder_;
  SimpleQuery simple_;
  ExtendedQuery extended_;

  Plan plan_ = Plan::pass;           // of the message that is being read
  char copy_breaker_ = 0;            // the message that did not belong into COPY data
  bool has_passed_unread_ = false;   // texts, while nobody was watching; a reload may change that
  bool has_taken_leave_ = false;     // the client's Terminate was forwarded
  std::int64_t waits_since_ns_ = 0;  // the message that is held
  metrics::DurationHistogram* waits_in_ = nullptr;  // where that counts; null: nowhere
  std::unique_ptr<Farewell> farewell_;              // null: none is due
};

}  // namespace helios::session
