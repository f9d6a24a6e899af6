// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of Session: the states of session.hpp, spread over seven sources.
//   session.cpp          events, and the pump that moves input forward
//   session_end.cpp      the ends, in order and by an unexpected exception
//   session_startup.cpp  the way in
//   session_client.cpp   client messages once ready: what is forwarded, judged, refused
//   session_extended.cpp the same for Parse, Close and FunctionCall
//   session_portals.cpp  the same for Bind and Execute
//   session_limits.cpp   what may take how long, and what may be held
//   session_server.cpp   what the server's answers mean: outcomes, names, the held ReadyForQuery
// What the server owes is backend::Link's; who may come in ClientLogin's; what may take how long Deadlines';
// what may be held Footprint's.

#include "backend/link.hpp"
#include "backend/upstream.hpp"
#include "base/input.hpp"
#include "pgwire/frame_reader.hpp"
#include "pgwire/message_types.hpp"
#include "session/client_login.hpp"
#include "session/deadlines.hpp"
#include "session/footprint.hpp"
#include "session/identity.hpp"
#include "session/in_flight.hpp"
#include "session/post_hooks.hpp"
#include "session/present_message.hpp"
#include "session/query_gate.hpp"
#include "session/session.hpp"
#include "session/settings.hpp"
#include "session/settlements.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

class Session::Impl final : private backend::LinkUser {
 public:
  Impl(Environment& environment, Peer peer, backend::Upstream& upstream,
       std::function<void()> wake);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  enum class State { startup, vetting, connecting, authenticating, ready, closing, closed };

  [[nodiscard]] static std::string_view to_word(State state);

  // What comes next is of an event with these.
  void use(Actions& actions) {
    actions_ = &actions;
    if (link_ != nullptr) link_->begin_event(actions.to_server, actions.to_client);
  }

  // Events; each behind use().
  void on_client_bytes(std::string_view bytes);
  void on_client_eof();
  void on_client_lost();
  void on_granted(backend::Link& link);
  void on_refused(std::string_view reason);
  void on_server_bytes(std::string_view bytes);
  void on_server_eof();
  void on_wake() {}
  void on_timer();
  void on_cancel();
  void on_drain(bool force);
  // Of an exception in such an event, in its handler.
  void on_fault(std::string_view event) noexcept;
  void give_client_up() { client_gone_ = true; }
  void set_backlog(std::size_t bytes) { footprint_.set_backlog(bytes); }

  // Moves input forward as far as it goes. Every event ends with it.
  void pump();

  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_server_bytes() const;
  [[nodiscard]] std::optional<std::int64_t> deadline_ns() const { return deadlines_.deadline_ns(); }
  [[nodiscard]] bool finished() const { return state_ == State::closed && !pending(); }

 private:
  // What to do with a client message.
  enum class ClientPlan {
    pass,    // forward it as it comes
    judge,   // a Query: collect it, then the gate decides
    follow,  // Parse, Bind, Execute, Close, FunctionCall: collect it; see session_extended.cpp
    drop,    // discard it
    drop_refused,  // discard it, then refuse it
  };

  // session.cpp
  [[nodiscard]] bool pending() const {
    return gate_.pending() || post_hooks_.pending() || login_.pending();
  }
  bool pump_client();
  bool pump_server();
  bool pump_gate();
  bool pump_end();
  bool pump_end_of_input();
  bool pump_closing();
  void fail(std::string_view sqlstate, std::string_view message);
  void fail_after_answers(std::string_view sqlstate, std::string message);
  bool bid_farewell();
  void close();
  void collect_lost();
  void note_unfinished();
  void lose_portal(const std::shared_ptr<Portal>& portal);
  void note_fault(std::string_view event);
  void abandon();
  bool drain_if_idle();
  // No transaction open, nothing owed by the server.
  [[nodiscard]] bool is_idle() const;
  // Queries are looked at: hooks are loaded or may be later, or helios.kv() is to be answered.
  [[nodiscard]] bool is_watching() const;
  // As is_watching(), for a text that is about to pass or to be read.
  bool watch_text();
  [[nodiscard]] bool has_hooks() const { return environment_.chain->has_hooks(); }

  // session_limits.cpp
  [[nodiscard]] Deadlines::Waiting what_is_waited_for() const;
  void update_deadline();
  bool ask_at_deadline();
  [[nodiscard]] std::uint64_t held_bytes() const;
  bool account_memory();
  [[nodiscard]] bool has_room_for_query(std::uint64_t bytes) const;
  [[nodiscard]] bool has_room_for_replies() const;

  // session_startup.cpp
  bool step_login();
  bool step_client_authenticating();
  void on_cancel_key(pgwire::CancelKey key) override;
  void on_logged_in() override;
  void on_parameter(std::string_view name, std::string_view value) override;

  // session_client.cpp
  [[nodiscard]] bool client_may_go_on() const;
  [[nodiscard]] bool is_held_up(std::string_view input);
  bool step_client();
  void handle_client_header(char type);
  void break_copy(char type);
  ClientPlan plan_message(char type);
  ClientPlan plan_query();
  ClientPlan plan_sync();
  void end_streamed_message();
  void handle_client_message();
  Refusal refusal_of_length();
  NameChanges drop_unnamed();
  void carry_out_query(Decision decision);
  void forward_query(const Decision& decision);
  void expect(InFlight&& item);
  void make_room();
  void follow_run(InFlight& item);
  void refuse_query(const Refusal& refusal);
  void refuse_unreadable_query(const Refusal& refusal, std::string_view text);
  void refuse_function_call(const Refusal& refusal);
  void refuse_here(const Refusal& refusal);

  // session_extended.cpp
  ClientPlan plan_followed(char type);
  void handle_followed();
  bool retry_held();
  void carry_out_held(Decision decision);
  void ask_for_answers();
  [[nodiscard]] bool is_uncertain(std::string_view name) const;
  bool follow();
  bool follow_parse();
  void carry_out_parse(Decision decision);
  bool follow_close();
  bool follow_function_call();
  [[nodiscard]] std::shared_ptr<const BoundStatement> large_object_call(
      const pgwire::FunctionCallView& call);
  void carry_out_function_call(Decision decision);
  bool forward_malformed();
  bool refuse_item(const Refusal& refusal);
  void refuse_parse(const Refusal& refusal);
  void ask_what_is_wrong(const Refusal& refusal, const pgwire::ParseView& view);

  // session_portals.cpp
  bool follow_bind();
  [[nodiscard]] std::shared_ptr<Portal> make_portal(const pgwire::BindView& view,
                                                    StatementPool::Statement statement);
  void carry_out_portal(Decision decision);
  void forward_bind(const Decision& decision);
  void note_judgement(Portal& portal, const Decision& decision);
  void adopt_run(InFlight& item);
  bool follow_execute();
  bool execute_judged();
  void forward_execute(const Decision& decision);
  void execute_unknown(std::string_view portal, bool is_bound);
  [[nodiscard]] bool is_denied_unseen() const;
  bool refuse_unseen(const Refusal& refusal);
  std::string bind_other_text(std::string_view name, const BoundStatement& bound,
                              std::string_view text);

  // session_server.cpp
  bool step_server();
  void on_malformed() override;
  void on_completion(backend::Answer answer, std::string_view command_tag) override;
  void on_suspension(backend::Answer answer) override;
  bool on_error(backend::Answer answer, bool is_own,
                const pgwire::ErrorFieldsView& fields) override;
  void on_copy_in(bool is_reading) override;
  void on_ended(backend::Tag tag, char answer) override;
  void on_status(pgwire::TransactionStatus status, bool has_failed) override;
  void on_ready(std::string_view message, bool is_view) override;
  void on_skip_to_sync() override { is_skipping_ = true; }
  void on_copy_broken() override;
  void note_execution(std::string_view tag);
  void note_time(const InFlight& item, QueryRun& run);
  void note_failure(const InFlight& item, QueryRun& run, const pgwire::ErrorFieldsView& fields);
  [[nodiscard]] static bool may_read_cursors(QueryRun* run);
  [[nodiscard]] bool may_commit_itself(QueryRun& run) const;
  void settle_portal(const InFlight& item, char answer);
  void end_portals();
  void end_portal(const std::shared_ptr<Portal>& portal);
  [[nodiscard]] Followed followed() { return {settings_, names_}; }
  // What becomes of statements matters to somebody.
  [[nodiscard]] bool is_settling() const {
    return environment_.chain->has_settled() || !settlements_.empty();
  }
  void release_ready();

  // A FATAL for a client that still has answers to come; nothing more is read from it.
  struct Farewell {
    std::string sqlstate;
    std::string message;
  };

  Actions* actions_ = nullptr;  // of the present event
  Environment& environment_;
  backend::Upstream& upstream_;
  Identity identity_;
  ClientLogin login_;
  State state_ = State::startup;

  // Server side.
  backend::Link* link_ = nullptr;  // null: none was granted yet

  // Client side.
  base::Input client_input_;
  pgwire::FrameReader client_reader_;
  ClientPlan client_plan_ = ClientPlan::pass;
  bool client_eof_ = false;
  bool client_gone_ = false;            // nothing more can be delivered
  bool terminate_sent_ = false;         // the client's Terminate was forwarded
  std::unique_ptr<Farewell> farewell_;  // null: none is due
  // A message of the extended protocol was refused, which the server is made to answer: what follows
  // up to the next Sync is dropped.
  bool is_skipping_ = false;
  char copy_breaker_ = 0;  // the message that did not belong into COPY data
  PresentMessage present_{client_reader_};
  std::shared_ptr<Portal> judged_portal_;  // of the Bind or Execute that is being decided

  // Answers.
  std::string held_ready_;                             // ReadyForQuery that waits for post_query
  std::vector<std::unique_ptr<QueryRun>> ended_runs_;  // their post_query comes with ReadyForQuery
  std::int64_t server_free_ns_ = 0;  // when it was through with the last statement that is followed
  std::uint64_t cursor_readers_ = 0;  // statements that it ran and that could have read a cursor
  InFlightLog in_flight_;

  // What statements are judged by.
  Settings settings_;
  Names names_;
  Settlements settlements_;
  bool passed_unread_ = false;  // texts, while nobody was watching; a reload may change that
  bool draining_ = false;

  Deadlines deadlines_;
  Footprint footprint_;
  QueryGate gate_;
  PostHooks post_hooks_;                              // of answered, and of lost, messages
  std::vector<std::unique_ptr<QueryRun>> lost_runs_;  // closing: still to get their post_query
  bool has_faulted_ = false;                          // an exception has ended the session
};

}  // namespace helios::session
