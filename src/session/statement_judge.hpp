// SPDX-License-Identifier: Apache-2.0
#pragma once

// Judges one message before any byte of it is forwarded, and decides: forward (as it is, or as another
// text) or refuse.
//   Query, Bind     reads it the way the server will, runs the pre_query hooks of its statements in
//                   order, expands helios.kv()
//   Execute         the same for a cursor of SQL, which no Bind has made
//   Parse           only reads it, and gives helios.kv() the shape that Describe is to show
//   FunctionCall    runs the hooks of a statement that does the same, or of one without a text
//
// Flow: 1 start_*(); true = decided, take_decision(). 2 false = pending: `on_progress` is called on
// the home executor when resume() makes sense; also call resume() whenever answers have arrived.
//
// States (Stage), each waiting for what its name says:
//   wait_for_answers -> parse -> judge <-> pre_query
//                         |       ||-> wait_for_certainty -> judge (what a name stands for, whether the block has failed)
//                         |       |-> confirm (waits for answers if a changed text demands it) -> decided
//                         |       \-> settle (post_query of those that ran) -> decided
//                         \-> confirm (Parse)
//
// Thread rule: the session's. Lifetime: not destroyed while busy().

#include "base/completion.hpp"
#include "config/config.hpp"
#include "hooks/chain.hpp"
#include "session/objections.hpp"
#include "session/post_hooks.hpp"
#include "session/query_pieces.hpp"
#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/session_context.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

struct Decision {
  std::optional<Refusal> refusal;  // set = refuse
  std::string new_text;  // forward this instead of the client's text; empty = the client's
  // Refusal: the text that the grammar refuses, where the server may say so in its own words; empty = it is refused for
  // something else.
  std::string unreadable;
  std::string answer;  // not empty: all of the answer up to ReadyForQuery; forward nothing
  // Parse, forward: what its name is to stand for.
  std::shared_ptr<const PreparedStatement> prepared;
  bool touches_session = false;
  bool is_bounded = false;   // some answer has caps
  PiecePlan pieces;          // bounded: how a Query is sent
  bool may_copy_in = false;  // the server may ask the client for COPY data
  bool fatal = false;        // refusal: and end the session (a post_query failed under deny)

  // For whoever makes a message of it: it may be long, and is not needed any more then.
  [[nodiscard]] std::string take_text() { return std::exchange(new_text, {}); }
};

// What the client is told when Decision::fatal has its session ended.
inline constexpr std::string_view kPostQueryFailed =
    "terminating connection: a plugin failed in post_query";

// Could a text that nobody parses change a helios.* setting in a way that its letters show?
[[nodiscard]] bool mentions_settings(std::string_view text);

class StatementJudge {
 public:
  // Of `context` it changes what the hooks are told (Identity), and names that are defined by statements.
  StatementJudge(SessionContext& context, std::function<void()> on_progress);

  // A Query. `text` need only live for this call. Requires, as all of these: not busy().
  [[nodiscard]] bool start(std::string_view text);
  // A Parse with these parameter types.
  [[nodiscard]] bool start_parse(std::string_view text, std::string_view types);
  // A Bind that makes a portal of this; the first Execute of a cursor. Requires: the statement is known.
  [[nodiscard]] bool start_portal(std::shared_ptr<const BoundStatement> bound);
  // `bound`: the statement that does the same, with its arguments; null: nobody knows one, and hooks see no text.
  [[nodiscard]] bool start_function_call(std::shared_ptr<const BoundStatement> bound,
                                         bool may_change_settings);
  [[nodiscard]] bool resume();
  // To be called once after start() or resume() returned true. The decision lives until the next start(); the caller may
  // take parts of it.
  [[nodiscard]] Decision& take_decision();
  // Of the message that was decided last, if it is forwarded: what to follow; null when nobody cares. Taken
  // when nothing can throw any more until it is in its place.
  [[nodiscard]] std::unique_ptr<QueryRun> take_run();
  // Of the message that was decided last: what it runs changes helios.* settings.
  [[nodiscard]] bool changes_settings() const;
  // Of the portal that was decided last: what its answer has to keep to.
  [[nodiscard]] const AnswerCaps& portal_caps() const { return run_->statements.front().caps; }
  // That one is not null.
  [[nodiscard]] bool has_run() const { return is_followed_; }
  // The message that was decided last is on its way to the server.
  void note_forwarded(std::int64_t now_ns);

  [[nodiscard]] bool busy() const { return stage_ != Stage::idle; }
  // What is being judged, or is decided and not taken yet; null: nothing. Its statements may not be there yet.
  [[nodiscard]] QueryRun* present_run() const { return busy() ? run_.get() : nullptr; }
  // Waiting for work elsewhere that will call on_progress (a hook, a parse): not to be destroyed.
  [[nodiscard]] bool pending() const { return elsewhere_.is_awaited(); }
  // Waiting for answers to earlier messages.
  [[nodiscard]] bool waits_for_answers() const {
    return stage_ == Stage::wait_for_answers || stage_ == Stage::wait_for_certainty ||
           stage_ == Stage::confirm;
  }
  // Waiting until it is certain how the server reads a text.
  [[nodiscard]] bool waits_for_rules() const;
  // About what the message being judged takes.
  [[nodiscard]] std::size_t held_bytes() const {
    return (run_ ? run_->held_bytes : 0) + decision_.new_text.size() + decision_.answer.size() +
           decision_.pieces.held_bytes();
  }
  // Give the message up: the next resume() refuses it. A hook that runs is asked to end, and has to be through first.
  void cancel();

 private:
  enum class Stage {
    idle,
    wait_for_answers,
    parse,
    judge,
    wait_for_certainty,
    pre_query,
    confirm,
    settle,
    decided
  };
  enum class Subject { query, parse, portal, function_call };

  void begin(Subject subject);
  void begin_bound(Subject subject, std::shared_ptr<const BoundStatement> bound);
  bool advance();
  void note_hooks_begin();
  [[nodiscard]] bool awaits_answers() const;
  bool parse();
  void begin_judging();
  void begin_statements();
  void follow_settings();
  void finish_parse();
  void resolve_parameters();
  bool find_prepared(StatementRun& run);
  bool may_fetch(StatementRun& run);
  bool may_call_functions(const StatementRun& run);
  [[nodiscard]] std::optional<Refusal> objection_to_cursors() const;
  bool bound_answer(StatementRun& run);
  bool plan_bounded();
  [[nodiscard]] bool awaits_block(const sql::Statement& statement) const;
  bool refuse_unknown(StatementRun& run);
  void fail_at_server(StatementRun& run, std::string_view sqlstate, std::string message);
  void adopt_prepared(StatementRun& run, std::shared_ptr<const PreparedStatement> prepared);
  void show_execute(const sql::Statement& execute, hooks::StatementExecution& out) const;
  bool admit_unreadable();
  void judge_next();
  bool is_within_limits();
  void yield();
  bool start_hooks(StatementRun& run);
  void after_hooks();
  void refuse(std::string_view sqlstate, std::string message, std::size_t position = 0);
  void refuse(Refusal refusal, const hooks::ChainResult* decision);
  [[nodiscard]] bool is_judging() const;
  void refuse_cancelled();
  [[nodiscard]] const Settings& settings() const { return ahead_ ? *ahead_ : context_.settings; }
  [[nodiscard]] Grounds grounds() const { return {context_, *config_, *chain_, settings()}; }
  bool admit(std::optional<Refusal> objection);
  void make_execution(StatementRun& run);
  bool adopt_answer(StatementRun& run);
  bool adopt_rewrite(StatementRun& run);
  bool put_kv(StatementRun& run);
  void run_ahead(const sql::Statement& statement);
  [[nodiscard]] bool awaits_rules(std::string_view text) const;
  void confirm();
  void settle();

  SessionContext& context_;
  std::unique_ptr<hooks::ChainRun> pre_query_;  // made with the first hook: most sessions are idle
  PostHooks settling_hooks_;
  Stage stage_ = Stage::idle;
  Subject subject_ = Subject::query;
  base::Completion elsewhere_;  // of a hook, of a text that the slow lane reads, of a turn
  bool is_cancelled_ = false;
  bool is_followed_ = false;         // run_, once it was decided
  std::int64_t hooks_began_ns_ = 0;  // of the present message; 0: not yet, or nobody wants to know
  std::exception_ptr parse_fault_;

  // Of the present message.
  std::unique_ptr<QueryRun> run_;
  std::string types_;  // Parse
  std::shared_ptr<const sql::Analysis> analysis_;
  sql::ReadingRules rules_;  // that it was read by
  // The snapshot that judges it, whatever is reloaded meanwhile.
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const hooks::Chain> chain_;
  // The settings as the message's statements will leave them; null: as they are.
  std::unique_ptr<Settings> ahead_;
  std::size_t next_ = 0;          // statement being judged
  std::size_t in_this_turn_ = 0;  // statements; see kStatementsPerTurn
  Decision decision_;
};

}  // namespace helios::session
