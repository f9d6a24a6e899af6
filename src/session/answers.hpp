// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the server's answers mean: outcomes and times of statements, what names stand for, which settings are in force,
// what becomes of transactions. A ReadyForQuery is held back until the post_query and settled hooks of what it ends have
// committed.
//
// Its calls come from the link, in the order of the server's words; see backend::LinkUser.
//
// Thread rule: the session's. Not destroyed while pending().

#include "backend/link_user.hpp"
#include "session/answer_cap.hpp"
#include "session/post_hooks.hpp"
#include "session/session_context.hpp"
#include "session/settlements.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

class Answers {
 public:
  // `wake` is called on the home executor when hooks that step() waited for are through.
  Answers(SessionContext& context, std::function<void()> wake);

  // ---- Of the link. See backend::LinkUser.
  void on_completion(backend::Answer answer, std::string_view command_tag);
  void on_suspension(backend::Answer answer);
  // False = the row would go beyond a cap. The server is asked to cancel the statement.
  bool may_pass_row(backend::Tag tag, std::uint64_t bytes);
  bool may_pass_notice(backend::Tag tag, std::uint64_t bytes);
  // ReadyForQuery of a piece, whether it is the last or not.
  void note_piece_end() { is_piece_over_ = false; }
  void on_cut_completion(backend::Answer answer, std::string_view command_tag);
  // True = the error was replaced by the refusal that it stands for, or by that of the cap.
  bool on_error(backend::Answer answer, bool is_own, const pgwire::ErrorFieldsView& fields);
  void on_ended(backend::Tag tag, char answer);
  void on_status(pgwire::TransactionStatus status, bool has_failed);
  void on_ready(std::string_view message, bool is_view);

  // The name of a portal stands for it no longer.
  void end_portal(const std::shared_ptr<Portal>& portal);

  // Reads the server's next answer, or releases the ReadyForQuery that is held. False = nothing moves.
  bool step();

  // ---- The end. The server will answer no more: what nobody was told of is lost.
  // Takes the statements from wherever they have got to. What an exception leaves there is taken by the next call.
  void collect_lost();
  // One more of them. Throws nothing behind make_room_for_lost().
  void add_lost(std::unique_ptr<QueryRun> run) { lost_runs_.push_back(std::move(run)); }
  void make_room_for_lost() { base::make_room(lost_runs_); }
  // Some of them still have hooks to come.
  [[nodiscard]] bool has_last_hooks() const {
    return !lost_runs_.empty() || settlements_.has_due() || post_hooks_.has_left();
  }
  // Requires: not pending().
  hooks::RunStatus run_last_hooks();
  // The session could not be ended in order: its statements get no post_query any more.
  void abandon() { lost_runs_.clear(); }

  // A hook works elsewhere.
  [[nodiscard]] bool pending() const { return post_hooks_.pending(); }
  // An answer waits for hooks.
  [[nodiscard]] bool is_holding() const { return pending() || !context_.held_ready.empty(); }
  [[nodiscard]] std::size_t held_bytes() const {
    return settlements_.held_bytes() + context_.held_ready.size();
  }

 private:
  bool may_pass(backend::Tag tag, AnswerCap::Part part);
  bool end_cut(const backend::Answer& answer);
  void note_error(const backend::Answer& answer, const pgwire::ErrorFieldsView& fields,
                  const Refusal* refusal);
  void note_execution(std::string_view tag);
  void note_time(const InFlight& item, QueryRun& run);
  void note_commit(const InFlight& sync);
  void note_failure(const InFlight& item, QueryRun& run, const pgwire::ErrorFieldsView& fields);
  [[nodiscard]] static bool may_end_transaction(QueryRun& run);
  [[nodiscard]] static bool may_be_rollback_to(QueryRun* run);
  [[nodiscard]] bool may_commit_itself(QueryRun& run) const;
  void settle_portal(const InFlight& item, char answer);
  void end_run(std::unique_ptr<QueryRun>& run);
  void end_portals();
  [[nodiscard]] Followed followed() { return {context_.settings, context_.names}; }
  [[nodiscard]] bool is_settling() const;
  [[nodiscard]] std::size_t most_unsettled() const;
  void hold_ready(std::string_view message);
  void release_ready();
  // True: a post_query hook wants the session ended, and it ends.
  bool ends_by_hooks();
  void note_unfinished();
  void lose_portal(const std::shared_ptr<Portal>& portal);

  SessionContext& context_;
  Settlements settlements_;
  PostHooks post_hooks_;                               // of answered, and of lost, messages
  std::vector<std::unique_ptr<QueryRun>> ended_runs_;  // their post_query comes with ReadyForQuery
  std::vector<std::unique_ptr<QueryRun>> lost_runs_;   // the end: still to get theirs
  std::optional<CutAnswer> cut_;     // of the message that the server is answering
  std::int64_t held_since_ns_ = 0;   // a ReadyForQuery, where it waits
  std::int64_t server_free_ns_ = 0;  // when it was through with the last statement that is followed
  bool is_piece_over_ = false;       // the statement with caps that it ends with is complete
  std::int64_t commit_ns_ = 0;       // what the Sync took that ReadyForQuery is next for
  std::uint64_t recoveries_ = 0;     // how often a failed transaction may have gone on
};

}  // namespace helios::session
