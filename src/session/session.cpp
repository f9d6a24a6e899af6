// SPDX-License-Identifier: Apache-2.0
#include "session/session.hpp"

#include "pgwire/error_response.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

Session::Impl::Impl(Environment& environment, Peer peer, backend::Upstream& upstream,
                    std::function<void()> wake)
    : environment_(environment),
      upstream_(upstream),
      identity_(peer),
      login_(environment, identity_, peer.is_over_limit, wake),
      names_([this](const std::shared_ptr<Portal>& portal) { end_portal(portal); }),
      footprint_(environment.memory),
      gate_(GateView{environment, identity_, names_, settings_, link_, in_flight_, held_ready_,
                     login_},
            wake),
      post_hooks_(*environment.home, *environment.recycler, environment.store, wake) {
  update_deadline();  // a client that says nothing causes no event
}

// ---- the pump ----

void Session::Impl::pump() {
  do {
    bool moved = true;
    while (moved) {
      moved = pump_server();
      moved |= pump_gate();
      moved |= pump_client();
      moved |= pump_end();
    }
    client_input_.end_event();
    if (link_ != nullptr) link_->end_event();
  } while (!account_memory());
  update_deadline();
}

bool Session::Impl::pump_client() {
  bool moved = false;
  while (true) {
    bool stepped = false;
    switch (state_) {
      case State::startup:
      case State::vetting: stepped = step_login(); break;
      case State::authenticating: stepped = step_client_authenticating(); break;
      case State::ready:
        stepped = present_.is_held() ? retry_held() : client_may_go_on() && step_client();
        break;
      case State::connecting:
      case State::closing:
      case State::closed: break;
    }
    if (!stepped) {
      if (state_ == State::ready) ask_for_answers();
      return moved;
    }
    moved = true;
  }
}

bool Session::Impl::pump_server() {
  bool moved = false;
  while (true) {
    bool stepped = false;
    switch (state_) {
      case State::authenticating:
      case State::ready: stepped = step_server(); break;
      case State::startup:
      case State::vetting:
      case State::connecting:
      case State::closing:
      case State::closed: break;
    }
    if (!stepped) return moved;
    moved = true;
  }
}

// A message that waited for a hook, or for earlier answers, may be decided now.
bool Session::Impl::pump_gate() {
  if (state_ == State::ready && link_->is_amid_notification()) return false;
  if (!gate_.busy()) return false;
  if (!gate_.resume()) {
    if (state_ != State::ready) return false;
    ask_for_answers();
    return gate_.waits_for_rules() && link_->make_rules_certain();
  }
  Decision decision = gate_.take_decision();
  if (link_->owed().empty()) deadlines_.note_progress();
  if (state_ != State::ready || farewell_) return true;
  carry_out_held(std::move(decision));
  return true;
}

// What happens once the input of a side is used up, or the session is on its way out.
bool Session::Impl::pump_end() {
  switch (state_) {
    case State::startup:
    case State::vetting:
    case State::connecting:
      if (!client_eof_) return false;
      close();
      return true;
    case State::authenticating:
    case State::ready: return pump_end_of_input();
    case State::closing: return pump_closing();
    case State::closed: return false;
  }
  return false;
}

bool Session::Impl::pump_end_of_input() {
  if (bid_farewell()) return true;
  const bool is_held = post_hooks_.pending() || !held_ready_.empty();
  if (link_->is_at_end() && !is_held) {
    const bool is_expected = link_->has_said_why() || terminate_sent_ || client_eof_;
    if (is_expected) {
      close();
    } else {
      fail(sqlstate::kConnectionFailure, "the server closed the connection unexpectedly");
    }
    return true;
  }
  // Nobody waits for anything any more. Some servers end with their client's connection only.
  if (terminate_sent_ && link_->owed().empty() && !link_->is_batch_open() && !is_held) {
    close();
    return true;
  }
  if (client_eof_ && client_input_.empty() && !gate_.busy() && !present_.is_held() &&
      !link_->is_asking() && link_->finish()) {
    actions_->finish_server = true;
    return true;
  }
  return drain_if_idle();
}

bool Session::Impl::is_idle() const {
  return held_ready_.empty() && (link_ == nullptr || link_->is_quiet());
}

bool Session::Impl::drain_if_idle() {
  const bool is_between_messages = client_input_.empty() && client_reader_.at_boundary();
  if (!draining_ || state_ != State::ready || !is_idle() || gate_.busy() || is_skipping_ ||
      !is_between_messages) {
    return false;
  }
  fail(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  return true;
}

bool Session::Impl::is_watching() const {
  const config::Config& config = *environment_.config;
  return !config.plugins.directory.empty() || !config.kv_sql.readers.empty() || has_hooks() ||
         identity_.restricts_tenant();
}

std::string_view Session::Impl::to_word(State state) {
  switch (state) {
    case State::startup: return "startup";
    case State::vetting: return "vetting";
    case State::connecting: return "connecting";
    case State::authenticating: return "authenticating";
    case State::ready: return "ready";
    case State::closing: return "closing";
    case State::closed: return "closed";
  }
  return "";
}

// ---- events ----

void Session::Impl::on_client_eof() { client_eof_ = true; }

void Session::Impl::on_client_lost() {
  client_gone_ = true;
  close();
}

void Session::Impl::on_granted(backend::Link& link) {
  if (state_ != State::connecting) return;
  state_ = State::authenticating;
  link_ = &link;
  link.attach(*this);
  link.begin_event(actions_->to_server, actions_->to_client);
  link.begin_login(login_.take_packet());
}

void Session::Impl::on_refused(std::string_view reason) {
  if (state_ != State::connecting) return;
  fail(sqlstate::kCannotConnectNow, "could not connect to the server: " + std::string(reason));
}

void Session::Impl::on_cancel() {
  if (state_ != State::ready) return;
  // What is judged is the present statement, unless a message in front of it is still to be answered to its end.
  const bool is_judged = gate_.pending() && !link_->owed().awaits_ready();
  if (is_judged) gate_.cancel();
  // Of the same batch one may be at work.
  actions_->send_cancel = !is_judged || link_->owed().may_run();
}

void Session::Impl::on_drain(bool force) {
  draining_ = true;
  if (state_ == State::closing || state_ == State::closed) return;
  if (force || state_ != State::ready) {
    fail(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  }
}

bool Session::Impl::wants_client_bytes() const {
  if (client_eof_ || terminate_sent_) return false;
  // What is left over here is the beginning of a packet; anywhere else it has to wait.
  if (state_ == State::startup) return true;
  if (!client_input_.empty()) return false;
  switch (state_) {
    case State::startup:
    case State::authenticating: return true;
    case State::ready: return client_may_go_on();
    case State::vetting:
    case State::connecting:
    case State::closing:
    case State::closed: return false;
  }
  return false;
}

bool Session::Impl::wants_server_bytes() const {
  return link_ != nullptr && link_->wants_bytes() &&
         (state_ == State::authenticating || state_ == State::ready) && held_ready_.empty();
}

// ---- Session ----

namespace {

// Runs one event on `impl` with `actions` in place. `name`: for the log.
template <typename Event>
void run_event(auto& impl, Actions& actions, std::string_view name, Event event) {
  impl.use(actions);
  try {
    event();
    impl.pump();
  } catch (...) {
    impl.on_fault(name);
  }
}

}  // namespace

Session::Session(Environment& environment, Peer peer, backend::Upstream& upstream,
                 std::function<void()> wake)
    : impl_(std::make_unique<Impl>(environment, std::move(peer), upstream, std::move(wake))) {}

Session::~Session() = default;

Session::Impl::~Impl() = default;

void Session::on_client_bytes(std::string_view bytes, Actions& actions) {
  run_event(*impl_, actions, "client bytes", [&] { impl_->on_client_bytes(bytes); });
}
void Session::on_client_eof(Actions& actions) {
  run_event(*impl_, actions, "client end", [&] { impl_->on_client_eof(); });
}
void Session::on_client_lost(Actions& actions) {
  run_event(*impl_, actions, "client loss", [&] { impl_->on_client_lost(); });
}
void Session::on_granted(backend::Link& link, Actions& actions) {
  run_event(*impl_, actions, "link granted", [&] { impl_->on_granted(link); });
}
void Session::on_refused(std::string_view reason, Actions& actions) {
  run_event(*impl_, actions, "link refused", [&] { impl_->on_refused(reason); });
}
void Session::on_server_bytes(std::string_view bytes, Actions& actions) {
  run_event(*impl_, actions, "server bytes", [&] { impl_->on_server_bytes(bytes); });
}
void Session::on_server_eof(Actions& actions) {
  run_event(*impl_, actions, "server end", [&] { impl_->on_server_eof(); });
}
void Session::on_wake(Actions& actions) {
  run_event(*impl_, actions, "wake", [&] { impl_->on_wake(); });
}
void Session::on_timer(Actions& actions) {
  run_event(*impl_, actions, "timer", [&] { impl_->on_timer(); });
}
void Session::on_cancel(Actions& actions) {
  run_event(*impl_, actions, "cancel", [&] { impl_->on_cancel(); });
}
void Session::on_drain(bool force, Actions& actions) {
  run_event(*impl_, actions, "drain", [&] { impl_->on_drain(force); });
}

void Session::on_fault(bool is_client_whole, Actions& actions) noexcept {
  impl_->use(actions);
  if (!is_client_whole) impl_->give_client_up();
  impl_->on_fault("actions");
}

void Session::set_backlog(std::size_t bytes) { impl_->set_backlog(bytes); }
bool Session::wants_client_bytes() const { return impl_->wants_client_bytes(); }
bool Session::wants_server_bytes() const { return impl_->wants_server_bytes(); }
bool Session::finished() const { return impl_->finished(); }
std::optional<std::int64_t> Session::deadline_ns() const { return impl_->deadline_ns(); }

}  // namespace helios::session
