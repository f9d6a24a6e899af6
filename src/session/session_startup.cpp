// SPDX-License-Identifier: Apache-2.0
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

// The way in: ClientLogin says whether the client may go on, then the link relays what client and server say to each other.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;

bool Session::Impl::step_login() {
  using Next = ClientLogin::Next;
  Next next = Next::wait;
  if (state_ == State::vetting) {
    next = login_.step_vetting();
  } else {
    next = login_.step_packet(client_input_.view(actions_->to_server));
  }
  switch (next) {
    case Next::wait: return false;
    case Next::say_no: actions_->to_client.append("N"); break;
    case Next::deliver_cancel:
      actions_->deliver_cancel = login_.take_cancel_key();
      close();
      break;
    case Next::end: close(); break;
    case Next::refuse: break;
    case Next::vet: state_ = State::vetting; break;
    case Next::connect:
      state_ = State::connecting;
      upstream_.claim();
      break;
  }
  if (login_.refusal()) fail(login_.refusal()->sqlstate, login_.refusal()->message);
  return true;
}

bool Session::Impl::step_client_authenticating() {
  std::string_view& input = client_input_.view(actions_->to_server);
  if (input.empty() && client_reader_.at_boundary()) return false;
  if (client_reader_.at_boundary() && input[0] != fe::kPassword) {
    if (!link_->login().is_password_asked())
      return false;  // waits until the server is ready for it
    fail(sqlstate::kProtocolViolation, "expected password response, got message type " +
                                           std::to_string(static_cast<unsigned char>(input[0])));
    return true;
  }
  switch (client_reader_.next(input)) {
    case pgwire::FrameReader::Step::need_more: return false;
    case pgwire::FrameReader::Step::bad_length:
      fail(sqlstate::kProtocolViolation, "invalid message length");
      return true;
    case pgwire::FrameReader::Step::header:
      if (client_reader_.length() > pgwire::frontend_length_limit(client_reader_.type())) {
        fail(sqlstate::kProtocolViolation, "invalid message length");
        return true;
      }
      link_->login().on_password();
      client_reader_.stream();
      return true;
    case pgwire::FrameReader::Step::piece:
    case pgwire::FrameReader::Step::message: link_->forward(client_reader_); return true;
  }
  return false;
}

void Session::Impl::on_cancel_key(pgwire::CancelKey key) {
  actions_->register_cancel_key = std::move(key);
}

void Session::Impl::on_logged_in() {
  settings_.start(identity_.start_settings(login_.take_startup()));
  state_ = State::ready;
}

// What plugins see of what the server reports.
void Session::Impl::on_parameter(std::string_view name, std::string_view value) {
  if (name == "application_name") identity_.set_application_name(value);
}

}  // namespace helios::session
