// SPDX-License-Identifier: Apache-2.0
#pragma once

// Judges one Query message before any byte of it is forwarded: reads it the way the server will, runs
// the pre_query hooks of its statements in order, expands helios.kv(), and decides: forward (as it
// is, or as another text) or refuse.
//
// Flow: 1 start(text); true = decided, take decision(). 2 false = pending: `on_progress` is called on
// the home executor when resume() makes sense; also call resume() whenever answers have arrived.
//
// States (Stage), each waiting for what its name says:
//   wait_for_answers -> parse -> judge <-> pre_query
//                                  |-> confirm (waits for answers if a changed text demands it) -> decided
//                                  \-> settle (post_query of those that ran) -> decided
//
// Thread rule: the session's. Lifetime: not destroyed while busy().

#include "hooks/chain.hpp"
#include "pgwire/message_types.hpp"
#include "session/environment.hpp"
#include "session/identity.hpp"
#include "session/post_hooks.hpp"
#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/reply_queue.hpp"
#include "sql/analyzer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

// The parts of the session that the gate looks at; it changes none of them but the kept context.
struct GateView {
  Environment& environment;
  Identity& identity;
  const Settings& settings;
  const ReplyQueue& replies;
  const pgwire::TransactionStatus& transaction;
  const std::string& held_ready;  // a ReadyForQuery that is not released yet; empty = none
  const sql::ReadingRules& rules;
};

struct Decision {
  std::optional<Refusal> refusal;  // set = refuse
  std::string new_text;  // forward this instead of the client's text; empty = the client's
  std::string answer;    // not empty: all of the answer up to ReadyForQuery; forward nothing
  std::unique_ptr<QueryRun> run;  // forward: what to follow; null when nobody cares
  bool touches_session = false;
  bool fatal = false;  // refusal: and end the session (a post_query failed under deny)
};

// Could a text that nobody parses change a helios.* setting in a way that its letters show?
[[nodiscard]] bool mentions_settings(std::string_view text);

class QueryGate {
 public:
  QueryGate(GateView view, std::function<void()> on_progress);

  // `text` need only live for this call. Requires: not busy().
  [[nodiscard]] bool start(std::string_view text);
  [[nodiscard]] bool resume();
  // Valid once after start() or resume() returned true.
  [[nodiscard]] Decision take_decision();

  // The text of the message that is being judged.
  [[nodiscard]] const std::string& text() const { return run_->text; }
  [[nodiscard]] bool busy() const { return stage_ != Stage::idle; }
  // Waiting for work elsewhere that will call on_progress (a hook, a parse): not to be destroyed.
  [[nodiscard]] bool pending() const { return waiting_elsewhere_; }
  // Waiting for answers to earlier messages.
  [[nodiscard]] bool waits_for_answers() const {
    return stage_ == Stage::wait_for_answers || stage_ == Stage::confirm;
  }
  // About what the message being judged takes.
  [[nodiscard]] std::size_t held_bytes() const {
    return (run_ ? run_->held_bytes : 0) + decision_.new_text.size() + decision_.answer.size();
  }
  // Give the message up: refuse it as soon as the running hook is through, at once when none runs.
  void cancel();

 private:
  enum class Stage { idle, wait_for_answers, parse, judge, pre_query, confirm, settle, decided };

  bool advance();
  void wake();
  bool parse();
  void begin_judging();
  bool admit_unreadable();
  void judge_next();
  bool is_within_limits();
  void yield();
  void after_hooks();
  void refuse(std::string_view sqlstate, std::string message, std::size_t position = 0);
  std::optional<Refusal> objection(const sql::Statement& statement) const;
  void make_execution(StatementRun& run);
  bool adopt_answer(StatementRun& run);
  bool adopt_rewrite(StatementRun& run);
  bool expand_kv(StatementRun& run);
  void run_ahead(const sql::Statement& statement);
  [[nodiscard]] bool awaits_rules(std::string_view text) const;
  void confirm();
  void settle();
  void compose_text();

  GateView view_;
  hooks::ChainRun pre_query_;
  PostHooks settling_hooks_;
  Stage stage_ = Stage::idle;
  bool waiting_elsewhere_ = false;
  bool cancelled_ = false;
  std::function<void()> on_progress_;

  // Of the present message.
  std::unique_ptr<QueryRun> run_;
  std::shared_ptr<const sql::Analysis> analysis_;
  sql::ReadingRules rules_;  // that it was read by
  // The snapshot that judges it, whatever is reloaded meanwhile.
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const hooks::Chain> chain_;
  std::optional<Settings> ahead_;  // the settings as the message's statements will leave them
  std::size_t next_ = 0;           // statement being judged
  std::size_t in_this_turn_ = 0;   // statements; see kStatementsPerTurn
  Decision decision_;
};

}  // namespace helios::session
