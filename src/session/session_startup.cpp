// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/refusal_records.hpp"
#include "session/session.hpp"

// The way in: ClientLogin says whether the client may go on, then the link relays what client and server say to each other.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;

namespace {

// No answer to a request for a password is longer. It is held for a client of whom nothing is known yet.
constexpr std::uint32_t kMaxProofBytes = 8192;

}  // namespace

bool Session::step_login() {
  using Next = ClientLogin::Next;
  Next next = Next::wait;
  if (state_ == State::vetting) {
    next = login_->step_vetting();
  } else {
    next = login_->step_packet(input_.bytes.view(context_.actions->to_server));
  }
  return follow(next);
}

// What the way in wants done. False: it waits.
bool Session::follow(ClientLogin::Next next) {
  using Next = ClientLogin::Next;
  context_.actions->to_client.append(login_->take_message());
  switch (next) {
    case Next::wait: return false;
    case Next::say_no: context_.actions->to_client.append("N"); break;
    case Next::say_yes:
      context_.actions->to_client.append("S");
      context_.actions->encrypt_client.emplace();
      break;
    case Next::encrypt: context_.actions->encrypt_client = input_.bytes.take(); break;
    case Next::deliver_cancel:
      context_.actions->deliver_cancel = login_->take_cancel_key();
      close();
      break;
    case Next::end: close(); break;
    case Next::refuse: break;
    case Next::hold: hold(); break;
    case Next::ask: state_ = State::proving; break;
    case Next::vet: state_ = State::vetting; break;
    case Next::connect:
      state_ = State::connecting;
      upstream_.claim();
      break;
  }
  if (login_->refusal()) fail(*login_->refusal());
  return true;
}

// Once for each login of a client who has said who it is.
void Session::tell_login_end(std::string_view state, std::string_view reason) {
  if (!login_ || is_draining_ || context_.identity.user().empty()) return;
  if (!std::exchange(is_login_told_, true))
    note_unfinished_login(context_.environment, context_.identity, state, reason);
}

void Session::hold() {
  constexpr std::int64_t kMillisecondNs = 1'000'000;
  state_ = State::held;
  held_until_ns_ = context_.environment.clock->monotonic_ns() + login_->hold_ms() * kMillisecondNs;
}

// False: nothing was held, or has to wait longer.
bool Session::end_hold() {
  if (state_ != State::held || context_.environment.clock->monotonic_ns() < *held_until_ns_)
    return false;
  held_until_ns_.reset();
  return follow(login_->end_hold());
}

void Session::take_encryption(Encryption encryption) {
  if (!login_) return;
  login_->note_encryption();
  context_.identity.set_encryption(std::move(encryption));
}

// The client's answer to what the proxy has asked.
bool Session::step_proof() {
  pgwire::FrameReader& reader = input_.reader;
  if (reader.at_boundary() && !input_.bytes.empty()) {
    const ClientLogin::Next next = login_->step_turn();
    if (next != ClientLogin::Next::ask) return follow(next);
  }
  switch (reader.next(input_.bytes.view(context_.actions->to_server))) {
    case pgwire::FrameReader::Step::need_more:
    case pgwire::FrameReader::Step::piece: return false;
    case pgwire::FrameReader::Step::bad_length:
      fail(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case pgwire::FrameReader::Step::header:
      if (is_password_message()) reader.collect();
      return true;
    case pgwire::FrameReader::Step::message: return follow(login_->step_proof(reader.body()));
  }
  return false;
}

void Session::fail_for_want_of_password(char type) {
  fail(sqlstate::kProtocolViolation, "expected password response, got message type " +
                                         std::to_string(static_cast<unsigned char>(type)));
}

// Fails the session where it is something else.
bool Session::is_password_message() {
  const pgwire::FrameReader& reader = input_.reader;
  if (reader.type() != fe::kPassword) {
    fail_for_want_of_password(reader.type());
    return false;
  }
  if (reader.length() <= kMaxProofBytes) return true;
  fail(sqlstate::kProtocolViolation, "invalid message length");
  return false;
}

bool Session::step_authentication() {
  if (!context_.link->login().is_relayed()) return false;  // the server is asked nothing by him
  pgwire::FrameReader& reader = input_.reader;
  std::string_view& input = input_.bytes.view(context_.actions->to_server);
  if (input.empty() && reader.at_boundary()) return false;
  if (reader.at_boundary() && input[0] != fe::kPassword) {
    if (!context_.link->login().is_password_asked())
      return false;  // waits until the server is ready for it
    fail_for_want_of_password(input[0]);
    return true;
  }
  switch (reader.next(input)) {
    case pgwire::FrameReader::Step::need_more: return false;
    case pgwire::FrameReader::Step::bad_length:
      fail(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case pgwire::FrameReader::Step::header: begin_password(); return true;
    case pgwire::FrameReader::Step::piece:
    case pgwire::FrameReader::Step::message: context_.link->forward(reader); return true;
  }
  return false;
}

void Session::begin_password() {
  pgwire::FrameReader& reader = input_.reader;
  if (reader.length() > pgwire::frontend_length_limit(reader.type())) {
    fail(sqlstate::kProtocolViolation, "invalid message length");
    return;
  }
  context_.link->login().on_password();
  has_shown_password_ = true;
  reader.stream();
}

void Session::on_cancel_key(pgwire::CancelKey key) {
  context_.actions->register_cancel_key = std::move(key);
}

void Session::on_logged_in() {
  context_.settings.start(context_.identity.start_settings(login_->take_startup()));
  context_.is_replication = login_->is_replication();
  place_ = login_->take_place();
  login_->note_success();
  login_.reset();
  state_ = State::ready;
  context_.link->be_exact(conversation_.is_watching());
}

void Session::on_login_rejected(const pgwire::ErrorFieldsView& fields) {
  is_login_told_ = true;
  constexpr std::string_view kAuthorizationClass = "28";
  // Where the proxy logs in for him, it is not the client who has failed.
  if (context_.link->login().is_relayed() && fields.sqlstate.starts_with(kAuthorizationClass))
    login_->note_failure();
  note_rejected_login(context_.environment, context_.identity, fields);
}

void Session::on_login_impossible(std::string_view reason) {
  Refusal refusal{std::string(sqlstate::kInvalidAuthorization),
                  "could not log in to the server: " + std::string(reason), 0};
  fail(note_denied_login(context_.environment, context_.identity, std::move(refusal), nullptr));
}

// What plugins see of what the server reports.
void Session::on_parameter(std::string_view name, std::string_view value) {
  if (name == "application_name") context_.identity.set_application_name(value);
}

}  // namespace helios::session
