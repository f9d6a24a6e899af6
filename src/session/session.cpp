// SPDX-License-Identifier: Apache-2.0
#include "session/session.hpp"

#include "pgwire/sqlstate.hpp"

#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

Session::Session(Environment& environment, Peer peer, backend::Upstream& upstream,
                 std::function<void()> wake)
    : upstream_(upstream),
      context_(environment, peer, *this,
               [this](const std::shared_ptr<Portal>& portal) { answers_.end_portal(portal); }),
      login_(std::make_unique<ClientLogin>(environment, context_.identity, peer, wake)),
      footprint_(environment.memory),
      answers_(context_, wake),
      conversation_(context_, input_, deadlines_, footprint_, wake) {
  update_deadline();  // a client that says nothing causes no event
}

// ---- events ----

// Runs one event with `actions` in place. `name`: for the log.
template <typename Event>
void Session::run_event(std::string_view name, Actions& actions, Event event) {
  use(actions);
  try {
    event();
    pump();
  } catch (...) {
    end_by_fault(name);
  }
}

// What comes next is of an event with these.
void Session::use(Actions& actions) {
  context_.actions = &actions;
  if (context_.link != nullptr) context_.link->begin_event(actions.to_server, actions.to_client);
}

void Session::on_client_bytes(std::string_view bytes, Actions& actions) {
  run_event("client bytes", actions, [&] {
    if (!is_ending() && !conversation_.has_farewell()) input_.bytes.arrive(bytes);
  });
}

void Session::on_client_encrypted(Encryption encryption, Actions& actions) {
  run_event("client encryption", actions, [&] { take_encryption(std::move(encryption)); });
}

void Session::on_client_eof(Actions& actions) {
  run_event("client end", actions, [&] { has_client_ended_ = true; });
}

void Session::on_client_lost(Actions& actions) {
  run_event("client loss", actions, [&] {
    is_client_gone_ = true;
    close();
  });
}

void Session::on_granted(backend::Link& link, Actions& actions) {
  run_event("link granted", actions, [&] { be_granted(link); });
}

void Session::be_granted(backend::Link& link) {
  if (state_ != State::connecting) return;
  state_ = State::authenticating;
  context_.link = &link;
  link.attach(*this);
  link.begin_event(context_.actions->to_server, context_.actions->to_client);
  link.begin_login(login_->take_packet(), login_->take_responder());
}

void Session::on_refused(std::string_view reason, Actions& actions) {
  run_event("link refused", actions, [&] { be_refused(reason); });
}

void Session::be_refused(std::string_view reason) {
  if (state_ != State::connecting) return;
  fail(sqlstate::kCannotConnectNow, "could not connect to the server: " + std::string(reason));
}

void Session::on_server_bytes(std::string_view bytes, Actions& actions) {
  run_event("server bytes", actions, [&] {
    const bool is_heard = state_ == State::authenticating || state_ == State::ready;
    if (is_heard) context_.link->on_bytes(bytes);
  });
}

void Session::on_server_eof(Actions& actions) {
  run_event("server end", actions, [&] {
    if (context_.link != nullptr) context_.link->on_eof();
  });
}

void Session::on_wake(Actions& actions) {
  run_event("wake", actions, [] {});
}

void Session::on_timer(Actions& actions) {
  run_event("timer", actions, [&] { be_late(); });
}

void Session::on_cancel(Actions& actions) {
  run_event("cancel", actions, [&] { be_cancelled(); });
}

void Session::be_cancelled() {
  if (state_ != State::ready) return;
  // What is judged is the present statement. Of the same batch one may be at work.
  const bool was_judged = conversation_.cancel();
  context_.actions->send_cancel = !was_judged || context_.link->owed().may_run();
}

void Session::on_cap_cancelled(Actions& actions) {
  run_event("cap cancelled", actions, [&] {
    if (context_.link != nullptr) context_.link->note_cancelled();
  });
}

void Session::on_drain(bool force, Actions& actions) {
  run_event("drain", actions, [&] { drain(force); });
}

void Session::drain(bool force) {
  is_draining_ = true;
  if (is_ending()) return;
  if (force || state_ != State::ready) {
    fail(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  }
}

bool Session::on_blocks(Actions& actions) {
  bool is_blocked = false;
  run_event("blocks", actions, [&] { is_blocked = leave_if_blocked(); });
  return is_blocked;
}

void Session::on_fault(bool is_client_whole, Actions& actions) noexcept {
  use(actions);
  if (!is_client_whole) is_client_gone_ = true;
  end_by_fault("actions");
}

void Session::on_malformed(std::string_view what) {
  fail(sqlstate::kProtocolViolation, "the server " + std::string(what));
}

// ---- the pump ----

void Session::pump() {
  do {
    bool moved = true;
    while (moved) {
      moved = pump_server();
      moved |= conversation_.step_judge(state_ != State::ready);
      moved |= pump_client();
      moved |= pump_end();
    }
    input_.bytes.end_event();
    if (context_.link != nullptr) context_.link->end_event();
  } while (!account_memory());
  update_deadline();
}

bool Session::pump_client() {
  bool moved = false;
  while (true) {
    bool stepped = false;
    switch (state_) {
      case State::startup:
      case State::vetting: stepped = step_login(); break;
      case State::proving: stepped = step_proof(); break;
      case State::authenticating: stepped = step_authentication(); break;
      // Behind the server's last word (FATAL) the proxy has nothing to say either.
      case State::ready: stepped = !context_.link->has_said_why() && conversation_.step(); break;
      case State::held:
      case State::connecting:
      case State::closing:
      case State::closed: break;
    }
    if (!stepped) {
      if (state_ == State::ready) conversation_.ask_for_answers();
      return moved;
    }
    moved = true;
  }
}

bool Session::pump_server() {
  bool moved = false;
  while (true) {
    bool stepped = false;
    switch (state_) {
      case State::authenticating:
      case State::ready: stepped = answers_.step(); break;
      case State::startup:
      case State::held:
      case State::proving:
      case State::vetting:
      case State::connecting:
      case State::closing:
      case State::closed: break;
    }
    if (!stepped) return moved;
    moved = true;
  }
}

// What happens once the input of a side is used up, or the session is on its way out.
bool Session::pump_end() {
  switch (state_) {
    case State::startup:
    case State::held:
    case State::proving:
    case State::vetting:
    case State::connecting:
      if (!has_client_ended_) return false;
      close();
      return true;
    case State::authenticating:
    case State::ready: return pump_end_of_input();
    case State::closing: return pump_closing();
    case State::closed: return false;
  }
  return false;
}

bool Session::pump_end_of_input() {
  backend::Link& link = *context_.link;
  const bool has_left = conversation_.has_taken_leave();
  const bool is_held = answers_.is_holding();
  if (conversation_.is_farewell_due()) {
    conversation_.bid_farewell();
    return true;
  }
  const bool is_over = link.is_at_end() || (state_ == State::ready && link.has_said_why());
  if (is_over && !is_held) {
    if (link.has_said_why() || has_left || has_client_ended_) {
      close();
    } else {
      fail(sqlstate::kConnectionFailure, "the server closed the connection unexpectedly");
    }
    return true;
  }
  // Nobody waits for anything any more. Some servers end with their client's connection only.
  const bool is_answered = link.owed().empty() && link.is_count_certain() && !link.is_batch_open();
  if (has_left && is_answered && !is_held) {
    close();
    return true;
  }
  if (has_client_ended_ && input_.bytes.empty() && conversation_.is_through() &&
      !link.is_asking()) {
    // An answer that is cut may need another message.
    if (link.is_bounded()) {
      link.ask_for_answers();
    } else if (link.finish()) {
      context_.actions->finish_server = true;
      return true;
    }
  }
  return drain_if_idle();
}

bool Session::drain_if_idle() {
  const bool is_idle = state_ == State::ready && context_.is_idle();
  if (!is_draining_ || !is_idle || !conversation_.is_between_messages()) return false;
  fail(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  return true;
}

bool Session::wants_client_bytes() const {
  if (has_client_ended_ || conversation_.has_taken_leave()) return false;
  // What is left over here is the beginning of a packet; anywhere else it has to wait.
  if (state_ == State::startup) return true;
  if (!input_.bytes.empty()) return false;
  switch (state_) {
    case State::startup:
    case State::proving:
    case State::authenticating: return true;
    case State::ready: return conversation_.may_go_on();
    case State::held:
    case State::vetting:
    case State::connecting:
    case State::closing:
    case State::closed: return false;
  }
  return false;
}

bool Session::wants_server_bytes() const {
  return context_.link != nullptr && context_.link->wants_bytes() &&
         (state_ == State::authenticating || state_ == State::ready) && context_.held_ready.empty();
}

std::string_view Session::to_word(State state) {
  switch (state) {
    case State::startup: return "startup";
    case State::held: return "held";
    case State::proving: return "proving";
    case State::vetting: return "vetting";
    case State::connecting: return "connecting";
    case State::authenticating: return "authenticating";
    case State::ready: return "ready";
    case State::closing: return "closing";
    case State::closed: return "closed";
  }
  return "";
}

}  // namespace helios::session
