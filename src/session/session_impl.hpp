// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of Session: the states of session.hpp, spread over ten sources.
//   session.cpp          events, and the pump that moves input forward
//   session_end.cpp      the ends, in order and by an unexpected exception
//   session_startup.cpp  startup and authentication, both directions
//   session_client.cpp   client messages once ready: what is forwarded, judged, refused
//   session_extended.cpp the same for Parse, Close and FunctionCall
//   session_portals.cpp  the same for Bind and Execute
//   session_copy.cpp     COPY data from the client, and who gets which ReadyForQuery then
//   session_rules.cpp    how the server reads a text, and asking it
//   session_timeouts.cpp what may take how long
//   session_memory.cpp   what may be held
//   session_server.cpp   server messages once ready: answers, outcomes, the held ReadyForQuery

#include "pgwire/frame_reader.hpp"
#include "pgwire/message_types.hpp"
#include "session/identity.hpp"
#include "session/in_flight.hpp"
#include "session/input.hpp"
#include "session/post_hooks.hpp"
#include "session/query_gate.hpp"
#include "session/session.hpp"
#include "session/settings.hpp"
#include "session/settlements.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

// Passes on what `reader` just delivered, without a copy where it stands in the event's input.
void pass_bytes(const pgwire::FrameReader& reader, Output& output);

class Session::Impl final : private backend::OwedAnswers::User {
 public:
  Impl(Environment& environment, Peer peer, std::function<void()> wake);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  enum class State { startup, vetting, connecting, authenticating, ready, closing, closed };

  [[nodiscard]] static std::string_view to_word(State state);

  // Events; each runs with `actions_` set.
  void on_client_bytes(std::string_view bytes);
  void on_client_eof();
  void on_client_lost();
  void on_server_connected();
  void on_server_failed(std::string_view reason);
  void on_server_bytes(std::string_view bytes);
  void on_server_eof();
  void on_wake() {}
  void on_timer();
  void on_cancel();
  void on_drain(bool force);
  // Of an exception in such an event, in its handler.
  void on_fault(std::string_view event) noexcept;
  void give_client_up() { client_gone_ = true; }
  void set_backlog(std::size_t bytes) { backlog_bytes_ = bytes; }

  // Moves input forward as far as it goes. Every event ends with it.
  void pump();

  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_server_bytes() const;
  [[nodiscard]] std::optional<std::int64_t> deadline_ns() const { return deadline_ns_; }
  [[nodiscard]] bool finished() const { return state_ == State::closed && !pending(); }

  Actions* actions_ = nullptr;  // of the present event

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
    return gate_.pending() || post_hooks_.pending() || is_vetting_pending();
  }
  [[nodiscard]] bool is_vetting_pending() const {
    return vetting_ && (vetting_->chain_run.pending() || vetting_->kept == Kept::pending);
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
  void lose_portal(const std::shared_ptr<Portal>& portal);
  void note_fault(std::string_view event);
  void abandon();
  bool drain_if_idle();
  // The server is in the middle of a message that answers nothing (a notification): the client has
  // its first part, so nothing of our own may be said before the rest.
  [[nodiscard]] bool is_amid_notification() const {
    return server_reader_.inside_streamed() && owed_.empty();
  }
  // No transaction open, nothing owed by the server.
  [[nodiscard]] bool is_idle() const;
  // Queries are looked at: hooks are loaded or may be later, or helios.kv() is to be answered.
  [[nodiscard]] bool is_watching() const;
  // As is_watching(), for a text that is about to pass or to be read.
  bool watch_text();
  [[nodiscard]] bool has_hooks() const { return environment_.chain->has_hooks(); }

  // session_timeouts.cpp
  enum class Waiting { nothing, login, answer, in_transaction, idle };
  [[nodiscard]] Waiting what_is_waited_for() const;
  [[nodiscard]] std::uint32_t limit_ms(Waiting waiting) const;
  void update_deadline();
  bool ask_at_deadline();

  // session_memory.cpp
  [[nodiscard]] std::uint64_t held_bytes() const;
  [[nodiscard]] std::uint64_t held_by_all() const;
  // Empty, or why `held` bytes are too much.
  [[nodiscard]] std::string_view memory_complaint(std::uint64_t held) const;
  bool account_memory();
  [[nodiscard]] bool has_room_for_query(std::uint64_t bytes) const;
  [[nodiscard]] bool has_room_for_replies() const;

  // session_startup.cpp
  bool step_startup();
  void handle_startup_packet(std::int32_t code, std::string_view packet);
  void refuse_encryption(std::string_view complaint);
  void begin_session(pgwire::StartupMessage message, std::string_view packet);
  [[nodiscard]] std::optional<Refusal> objection_to_packet() const;
  std::string admit();
  void vet();
  bool step_vetting();
  bool step_client_authenticating();
  bool step_server_authenticating();
  bool choose_authenticating(char type);
  void handle_authenticating(char type, std::string_view body);

  // session_client.cpp
  [[nodiscard]] bool client_may_go_on() const;
  bool step_client();
  void handle_client_header(char type);
  ClientPlan plan_message(char type);
  ClientPlan plan_query();
  ClientPlan plan_sync();
  void end_streamed_message();
  void handle_client_message();
  Refusal refusal_of_length();
  NameChanges drop_unnamed();
  void carry_out(Decision decision, std::string message);
  void forward_query(Decision decision, std::string message);
  void follow_run(InFlight& item);
  void refuse_query(const Refusal& refusal);
  void refuse_unreadable_query(const Refusal& refusal, std::string_view text);
  void refuse_function_call(const Refusal& refusal);
  void refuse_here(const Refusal& refusal);

  // session_extended.cpp
  ClientPlan plan_followed(char type);
  [[nodiscard]] std::string_view present_message() const;
  [[nodiscard]] char present_type() const;
  [[nodiscard]] std::string_view present_body() const;
  void await_reply(InFlight item);
  void forward_present();
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
  [[nodiscard]] std::optional<Refusal> objection_to_execute(const StatementRun& statement);
  void forward_execute(const Decision& decision);
  void execute_unknown(std::string_view portal, bool is_bound);
  [[nodiscard]] bool is_denied_unseen() const;
  bool refuse_unseen(const Refusal& refusal);
  void send_own(InFlight item, std::string message);
  void send_own(char type, std::string message);
  std::string bind_other_text(std::string_view name, const BoundStatement& bound,
                              std::string_view text);

  // session_copy.cpp
  [[nodiscard]] bool must_wait(char type) const;
  [[nodiscard]] bool next_must_wait(std::string_view input) const;
  [[nodiscard]] bool waits_for_copy() const;
  void push(InFlight item);
  void make_room_for_push();
  [[nodiscard]] static bool belongs_to_copy(char type);
  void break_copy(char type);
  void note_copy_end();
  void note_copy_in();
  void begin_probe();
  void note_probed_ready();
  void end_probe();

  // session_rules.cpp
  bool make_rules_certain();
  void ask_reading_rules();
  void note_asked_rule(std::string_view row);
  void note_parameter(std::string_view body);
  bool note_reading_rule(std::string_view name, std::string_view value);

  // session_server.cpp
  void fail_server();
  bool step_server();
  bool choose_server(char type, std::uint32_t length);
  void note_answer(char type);
  void handle_server_message();
  void note_completion(std::string_view tag);
  void note_execution(std::string_view tag);
  bool handle_error(std::string_view body);
  void handle_ready(std::string_view message);
  void choose_whole(bool is_whole);
  bool swallow(char type, std::uint32_t length);
  void note_suspension();
  void note_time(const InFlight& item, QueryRun& run);
  void note_failure(const InFlight& item, QueryRun& run, const pgwire::ErrorFieldsView& fields);
  [[nodiscard]] static bool may_read_cursors(QueryRun* run);
  [[nodiscard]] bool may_commit_itself(QueryRun& run) const;
  void on_ended(backend::Tag tag, char answer) override;
  [[nodiscard]] InFlight* present();
  void settle_portal(const InFlight& item, char answer);
  void end_portals();
  void end_portal(const std::shared_ptr<Portal>& portal);
  [[nodiscard]] Followed followed() { return {settings_, names_}; }
  // What becomes of statements matters to somebody.
  [[nodiscard]] bool is_settling() const {
    return environment_.chain->has_settled() || !settlements_.empty();
  }
  void settle_transaction(pgwire::TransactionStatus status);
  void release_ready();

  struct Vetting {
    Vetting(base::Executor& home, std::function<void()> wake) : chain_run(home, std::move(wake)) {}
    hooks::AuthenticationRequest request;
    hooks::ChainRun chain_run;
    std::optional<Kept> kept;  // what they stored; nullopt: not asked yet
  };

  // A FATAL for a client that still has answers to come; nothing more is read from it.
  struct Farewell {
    std::string sqlstate;
    std::string message;
    bool is_servers = false;  // the server says it, unless it gets ready instead
  };

  Environment& environment_;
  std::function<void()> wake_;
  Identity identity_;
  State state_ = State::startup;

  // Client side.
  Input client_input_;
  pgwire::FrameReader client_reader_;
  ClientPlan client_plan_ = ClientPlan::pass;
  bool client_eof_ = false;
  bool client_gone_ = false;  // nothing more can be delivered
  bool gss_answered_ = false;
  bool ssl_answered_ = false;
  bool terminate_sent_ = false;         // the client's Terminate was forwarded
  std::unique_ptr<Farewell> farewell_;  // null: none is due
  std::string startup_packet_;          // held while the server is dialled
  pgwire::StartupMessage startup_;
  std::unique_ptr<Vetting> vetting_;  // while authenticate hooks run
  // A message of the extended protocol was refused, which the server is made to answer: what follows
  // up to the next Sync is dropped.
  bool is_skipping_ = false;
  bool is_batch_open_ = false;  // extended messages were forwarded, and no Sync behind them
  bool flush_sent_ = false;     // behind them
  std::string held_message_;    // of the extended protocol, not decided yet; empty = none
  std::shared_ptr<Portal> judged_portal_;  // of the Bind or Execute that is being decided
  // Of portals and statements that only the proxy may name. Clients do not know it, and using it is
  // refused.
  const std::string private_name_;

  // Server side.
  Input server_input_;
  pgwire::FrameReader server_reader_;
  bool server_open_ = false;
  bool server_eof_ = false;
  bool server_finished_ = false;  // half-closed after the client's end
  bool authenticated_ = false;
  bool is_password_asked_ = false;  // or whatever else the client has to say now
  bool in_copy_in_ = false;         // the server reads COPY data whose end was not forwarded yet
  bool copy_started_ = false;       // the server has asked for data for owed_.copying()
  // A COPY failed, and nobody knew whether a Sync in its data was swallowed: the server is being asked.
  enum class Probe { none, asked, answered } probe_ = Probe::none;
  std::string
      delayed_ready_;  // the last ReadyForQuery; the one before the answer is not the client's
  bool is_ready_owed_ =
      false;  // the failed COPY was run by Execute: what follows is skipped to a Sync
  bool error_was_fatal_ = false;
  bool error_since_ready_ = false;  // the server answered an error after its last ReadyForQuery
  bool swallowing_ = false;         // the message being read answers one of ours
  std::string held_ready_;          // ReadyForQuery that waits for post_query
  std::vector<std::unique_ptr<QueryRun>> ended_runs_;  // their post_query comes with ReadyForQuery
  std::int64_t server_free_ns_ = 0;  // when it was through with the last statement that is followed
  std::uint64_t cursor_readers_ = 0;  // statements that it ran and that could have read a cursor
  backend::OwedAnswers owed_{*this};
  InFlightLog in_flight_;
  pgwire::TransactionStatus transaction_ = pgwire::TransactionStatus::idle;

  // What statements are judged by.
  Settings settings_;
  Names names_;
  Settlements settlements_;
  std::size_t asked_rules_ = 0;  // questions about `rules_` that were answered, of those under way
  bool passed_unread_ = false;   // texts, while nobody was watching; a reload may change that
  sql::ReadingRules rules_;
  bool is_replication_ = false;
  bool draining_ = false;
  Admission* admission_ = nullptr;  // set while this session takes part of its limits
  const bool is_over_limit_;

  std::uint64_t accounted_bytes_ = 0;  // this session's part of environment_.memory
  std::uint64_t backlog_bytes_ = 0;    // not taken by the kernel yet, in both directions

  // What the session waits for, since when it does, and when that is too long.
  Waiting waiting_ = Waiting::nothing;
  std::optional<std::int64_t> deadline_ns_;
  bool message_arrived_ = false;           // of the client, since the deadline was set
  bool has_gone_on_ = false;               // what the client waits for is another answer than then
  std::uint64_t replies_ended_ = 0;        // at that time
  std::optional<std::uint64_t> asked_at_;  // how many had ended when it was asked for them
  QueryGate gate_;
  PostHooks post_hooks_;                              // of answered, and of lost, messages
  std::vector<std::unique_ptr<QueryRun>> lost_runs_;  // closing: still to get their post_query
  bool has_faulted_ = false;                          // an exception has ended the session
};

}  // namespace helios::session
