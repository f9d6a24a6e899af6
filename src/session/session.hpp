// SPDX-License-Identifier: Apache-2.0
#pragma once

// One client session as a state machine: events in, actions out. It knows the protocol and the
// rules of the proxy; it does no I/O, reads no clock of its own, takes no lock and starts no thread.
//
// Flow, for whoever drives it:
//  1 Construct it for an accepted client connection.
//  2 Report each event through the on_* functions and perform the Actions that come back.
//  3 After every event, read from each side only while wants_client_bytes() / wants_server_bytes()
//    say so. Bytes that were read already may be passed in all the same: the session keeps what it
//    cannot use yet.
//  4 Destroy it when finished() says so. Never earlier: a hook may still be running on its behalf.
//
// States:
//   startup        the client's first packet is awaited (SSLRequest and GSSENCRequest are answered), behind a PROXY header where
//                  one is due
//   held           logins before this one have failed: it waits for its turn, then goes on where it was
//   proving        the proxy asks the client for his password
//   vetting        authenticate hooks look at who the client says it is
//   connecting     a link was claimed; the startup packet is held
//   authenticating both sides talk; bytes pass, the server's parameters are noted, until ReadyForQuery
//   ready          messages pass, statements meet their hooks
//   closing        the ends are on their way; post_query of unfinished statements may still run
//   closed         nothing left to do
//
// Its parts: ClientLogin (who may come in), Conversation (what the client says then), Answers (what the server's answers
// mean), Deadlines (what may take how long), Footprint (what may be held). They share a SessionContext. The session itself
// has the events, their order within one pump, and the end.
//
// An exception in an event (base/faults.hpp) ends the session like any other error, with FATAL 58000. No event
// throws.
//
// Thread rule: one thread. Lifetime: `environment` and `upstream` outlive the session, and so does the link that it was
// granted.

#include "backend/link.hpp"
#include "backend/link_user.hpp"
#include "backend/upstream.hpp"
#include "session/actions.hpp"
#include "session/answers.hpp"
#include "session/client_login.hpp"
#include "session/conversation.hpp"
#include "session/deadlines.hpp"
#include "session/environment.hpp"
#include "session/footprint.hpp"
#include "session/session_context.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

class Session final : private backend::LinkUser, private SessionEnd {
 public:
  // `wake` is called, on the home thread and outside of any other call on this session, when work
  // that the session was waiting for is done: the driver then calls on_wake().
  Session(Environment& environment, Peer peer, backend::Upstream& upstream,
          std::function<void()> wake);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_client_bytes(std::string_view bytes, Actions& actions);
  // What Actions::encrypt_client asked for is done: from here on the client's bytes come through it.
  void on_client_encrypted(Encryption encryption, Actions& actions);
  // The client closed or half-closed its connection: what it sent before is still served.
  void on_client_eof(Actions& actions);
  // The client connection broke: nothing can be delivered any more.
  void on_client_lost(Actions& actions);

  // What it claimed from its Upstream: a link, whose connection is there, or none. `reason` is one line for the client,
  // e.g. "Connection refused".
  void on_granted(backend::Link& link, Actions& actions);
  void on_refused(std::string_view reason, Actions& actions);
  // Of its link.
  void on_server_bytes(std::string_view bytes, Actions& actions);
  // The server connection ended, in order or broken.
  void on_server_eof(Actions& actions);

  void on_wake(Actions& actions);
  // The time that deadline_ns() named has come (or gone by; early calls do nothing).
  void on_timer(Actions& actions);
  // A CancelRequest with this session's key arrived.
  void on_cancel(Actions& actions);
  // What Actions::send_cap_cancel asked for is done.
  void on_cap_cancelled(Actions& actions);
  // The proxy is shutting down: end as soon as no statement is in flight (FATAL 57P01), or at once
  // when `force` is set.
  void on_drain(bool force, Actions& actions);

  // Environment::blocks has changed. A session that somebody who is blocked has, or is about to have, ends at once: its
  // login is refused (FATAL 28000), or, once it is in, it is terminated (FATAL 57P01), and what the server runs for it is
  // cancelled. Returns whether it does.
  bool on_blocks(Actions& actions);

  // The shell could not perform the actions of an event, for an exception: the session ends. In its handler.
  // `is_client_whole`: everything that the client was to get until now is on its way, so that it can be told.
  void on_fault(bool is_client_whole, Actions& actions) noexcept;

  // Bytes of earlier actions that the kernel has not taken yet: they count as memory of the session.
  void set_backlog(std::size_t bytes) { footprint_.set_backlog(bytes); }

  // For log lines; empty for a Unix socket.
  [[nodiscard]] const std::string& client_ip() const { return context_.identity.client_ip(); }
  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_server_bytes() const;
  [[nodiscard]] bool finished() const { return state_ == State::closed && !pending(); }
  // When on_timer() is to be called, on the environment's monotonic clock; nullopt = never. Changes
  // with events only.
  [[nodiscard]] std::optional<std::int64_t> deadline_ns() const;

 private:
  enum class State {
    startup,
    held,
    proving,
    vetting,
    connecting,
    authenticating,
    ready,
    closing,
    closed
  };

  // ---- Events: session.cpp
  template <typename Event>
  void run_event(std::string_view name, Actions& actions, Event event);
  void use(Actions& actions);
  void be_granted(backend::Link& link);
  void be_refused(std::string_view reason);
  void be_cancelled();
  void drain(bool force);
  bool leave_if_blocked();

  // ---- The pump: moves input forward as far as it goes. Every event ends with it. session.cpp
  void pump();
  bool pump_client();
  bool pump_server();
  bool pump_end();
  bool pump_end_of_input();
  bool drain_if_idle();

  // ---- The way in: session_startup.cpp
  // Once in a session: kept apart from what runs for each message.
  [[gnu::cold]] bool step_login();
  [[gnu::cold]] bool step_proof();
  bool follow(ClientLogin::Next next);
  void hold();
  bool end_hold();
  void take_encryption(Encryption encryption);
  [[gnu::cold]] bool step_authentication();
  bool is_password_message();
  void fail_for_want_of_password(char type);
  void begin_password();
  void tell_login_end(std::string_view state, std::string_view reason);

  // ---- Limits: session_limits.cpp
  [[nodiscard]] Deadlines::Waiting what_is_waited_for() const;
  void update_deadline();
  bool ask_at_deadline();
  void be_late();
  [[nodiscard]] std::uint64_t held_bytes() const;
  bool account_memory();

  // ---- The end: session_end.cpp
  void fail(std::string_view sqlstate, std::string_view message) override;
  void fail(const Refusal& refusal);
  void fail_after_answers(std::string_view sqlstate, std::string message) override;
  void close();
  bool pump_closing();
  void collect_lost();
  void end_by_fault(std::string_view event) noexcept;
  void note_fault(std::string_view event);
  void abandon();
  [[nodiscard]] bool is_ending() const {
    return state_ == State::closing || state_ == State::closed;
  }
  // Something works elsewhere for this session.
  [[nodiscard]] bool pending() const {
    return conversation_.pending() || answers_.pending() || (login_ && login_->pending());
  }
  [[nodiscard]] static std::string_view to_word(State state);

  // ---- What the link says: to whom it matters. See backend::LinkUser.
  void on_cancel_key(pgwire::CancelKey key) override;
  void on_logged_in() override;
  void on_login_rejected(const pgwire::ErrorFieldsView& fields) override;
  void on_login_impossible(std::string_view reason) override;
  void on_parameter(std::string_view name, std::string_view value) override;
  void on_malformed(std::string_view what) override;
  void on_copy_in(bool is_reading) override { conversation_.on_copy_in(is_reading); }
  void on_copy_broken() override { conversation_.on_copy_broken(); }
  void on_skip_to_sync() override { conversation_.on_skip_to_sync(); }
  void on_completion(backend::Answer answer, std::string_view command_tag) override {
    answers_.on_completion(answer, command_tag);
  }
  void on_suspension(backend::Answer answer) override { answers_.on_suspension(answer); }
  bool on_error(backend::Answer answer, bool is_own,
                const pgwire::ErrorFieldsView& fields) override {
    return answers_.on_error(answer, is_own, fields);
  }
  bool may_pass_row(backend::Tag tag, std::uint64_t bytes) override {
    return answers_.may_pass_row(tag, bytes);
  }
  bool may_pass_notice(backend::Tag tag, std::uint64_t bytes) override {
    return answers_.may_pass_notice(tag, bytes);
  }
  void on_cut_completion(backend::Answer answer, std::string_view command_tag) override {
    answers_.on_cut_completion(answer, command_tag);
  }
  bool is_last_piece(backend::Tag, pgwire::TransactionStatus status, bool has_failed) override {
    answers_.note_piece_end();
    return conversation_.is_last_piece(status, has_failed);
  }
  void on_ended(backend::Tag tag, char answer) override { answers_.on_ended(tag, answer); }
  void on_status(pgwire::TransactionStatus status, bool has_failed) override {
    answers_.on_status(status, has_failed);
  }
  void on_ready(std::string_view message, bool is_view) override {
    answers_.on_ready(message, is_view);
  }

  State state_ = State::startup;
  backend::Upstream& upstream_;
  SessionContext context_;
  std::unique_ptr<ClientLogin> login_;  // null: the client is in
  Place place_;
  ClientInput input_;
  std::optional<std::int64_t> held_until_ns_;  // in `held`, on the monotonic clock
  Deadlines deadlines_;
  Footprint footprint_;
  Answers answers_;
  Conversation conversation_;

  bool has_client_ended_ = false;  // it half-closed its connection
  bool is_client_gone_ = false;    // nothing more can be delivered
  bool is_draining_ = false;
  bool has_shown_password_ = false;  // the client, to a server that decides about it
  bool is_login_told_ = false;       // what became of a login that failed was noted
  bool has_faulted_ = false;         // an exception has ended the session
};

}  // namespace helios::session
