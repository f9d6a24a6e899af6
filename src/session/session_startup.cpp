// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <algorithm>

// Startup and authentication. The proxy takes no part in authentication: it passes the messages and
// notes what the server says about the session.

namespace helios::session {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
namespace sqlstate = pgwire::sqlstate;

namespace {

constexpr std::size_t kStartupHeaderBytes = 8;  // length and code
// NAMEDATALEN - 1: the server cuts longer names off, and means another user than the rules would.
constexpr std::size_t kMaxNameBytes = 63;

// The words for false that clients use; the server takes more, which here count as anything else.
bool is_off(std::string_view value) {
  return value == "false" || value == "off" || value == "no" || value == "0";
}

}  // namespace

// Takes one whole packet off the client's input. False = there is none yet. Who sends something else does not speak
// the protocol, or is Terminate of a client that never began: as PostgreSQL, we have no word for it.
bool Session::Impl::step_startup() {
  std::string_view& input = client_input_.view(actions_->to_server);
  if (input.size() < 4) return false;
  const auto length = static_cast<std::uint32_t>(base::load_i32(input.data()));
  if (length < kStartupHeaderBytes || length > pgwire::kMaxStartupPacketBytes) {
    ++environment_.counters->protocol_errors;
    close();
    return true;
  }
  if (input.size() < length) return false;
  const std::string_view packet = input.substr(0, length);
  input.remove_prefix(length);
  handle_startup_packet(base::load_i32(packet.data() + 4), packet);
  return true;
}

void Session::Impl::handle_startup_packet(std::int32_t code, std::string_view packet) {
  const std::string_view body = packet.substr(kStartupHeaderBytes);
  if (code == pgwire::kCancelRequestCode) {
    if (auto key = pgwire::parse_cancel_key(body)) actions_->deliver_cancel = std::move(*key);
    close();
  } else if (code == pgwire::kSslRequestCode && !ssl_answered_) {
    ssl_answered_ = true;
    refuse_encryption("received unencrypted data after SSL request");
  } else if (code == pgwire::kGssEncRequestCode && !gss_answered_) {
    gss_answered_ = true;
    refuse_encryption("received unencrypted data after GSSAPI encryption request");
  } else if (code >> 16 != pgwire::kProtocolMajor) {
    fail(sqlstate::kFeatureNotSupported,
         "unsupported frontend protocol " + std::to_string(code >> 16) + "." +
             std::to_string(code & 0xFFFF) + ": server supports 3.0 to 3.0");
  } else if (auto message = pgwire::parse_startup_message(body)) {
    begin_session(std::move(*message), packet);
  } else {
    fail(sqlstate::kProtocolViolation, message.error().message);
  }
}

// The client has to wait for the answer. Bytes that came along were sent by somebody who took an
// encrypted connection for granted; PostgreSQL ends the connection then, and so do we.
void Session::Impl::refuse_encryption(std::string_view complaint) {
  actions_->to_client.append("N");
  if (!client_input_.empty()) fail(sqlstate::kProtocolViolation, complaint);
}

void Session::Impl::begin_session(pgwire::StartupMessage message, std::string_view packet) {
  startup_ = std::move(message);
  startup_packet_ = packet;
  identity_.start(startup_, environment_.config->tenant);
  is_replication_ = std::ranges::any_of(startup_.parameters, [](const auto& parameter) {
    return parameter.first == "replication" && !is_off(parameter.second);
  });
  if (auto refusal = identity_.objection_to_os_user(environment_.config->listen)) {
    fail(refusal->sqlstate, refusal->message);
  } else if (refusal = objection_to_packet(); refusal) {
    fail(refusal->sqlstate, refusal->message);
  } else if (refusal = identity_.objection_to_startup(startup_); refusal) {
    fail(refusal->sqlstate, refusal->message);
  } else if (std::string complaint = admit(); !complaint.empty()) {
    fail(sqlstate::kTooManyConnections, complaint);
  } else if (environment_.chain->has_authenticate()) {
    vet();
  } else {
    state_ = State::connecting;
    actions_->connect_server = true;
  }
}

// What the server would understand otherwise than the rules here, and what would pass hooks by.
std::optional<Refusal> Session::Impl::objection_to_packet() const {
  const config::Config& config = *environment_.config;
  const bool may_replicate = config.protocol.replication == config::Policy::allow ||
                             (config.plugins.directory.empty() && !has_hooks());
  for (const auto& [name, value] : startup_.parameters) {
    if ((name == "user" || name == "database") && value.size() > kMaxNameBytes) {
      return Refusal{
          std::string(sqlstate::kNameTooLong),
          "the " + name + " name is longer than " + std::to_string(kMaxNameBytes) + " bytes", 0};
    }
    if (name == "replication" && !may_replicate && !is_off(value)) {
      return Refusal{
          std::string(sqlstate::kFeatureNotSupported),
          "replication connections are not supported where plugins may be loaded: they would not "
          "see what is sent ([protocol] replication = \"deny\")",
          0};
    }
  }
  return std::nullopt;
}

// Takes a place among the limited connections. Not empty: there is none.
std::string Session::Impl::admit() {
  if (is_over_limit_) return "sorry, too many clients already";
  if (environment_.admission == nullptr) return {};
  std::string complaint = environment_.admission->enter(identity_.user(), identity_.database());
  if (complaint.empty()) admission_ = environment_.admission;
  return complaint;
}

// Authenticate hooks run before the server hears of the client.
void Session::Impl::vet() {
  state_ = State::vetting;
  vetting_ = std::make_unique<Vetting>(*environment_.home, wake_);
  vetting_->request = identity_.authentication_request();
  vetting_->request.chain = environment_.chain;
  vetting_->chain_run.authenticate(vetting_->request);
}

bool Session::Impl::step_vetting() {
  if (is_vetting_pending()) return false;
  if (!vetting_->kept) {
    vetting_->kept = wait_until_kept(environment_.store, *environment_.home,
                                     vetting_->chain_run.tickets(), [this](Kept late) {
                                       vetting_->kept = late;
                                       wake_();
                                     });
    if (vetting_->kept == Kept::pending) return false;
  }
  const bool is_kept = vetting_->kept == Kept::yes;
  const hooks::ChainResult result = vetting_->chain_run.result();
  vetting_.reset();
  if (result.refused) {
    fail(result.sqlstate, result.message);
    return true;
  }
  if (!is_kept) {
    fail(sqlstate::kIoError, kNotKeptText);
    return true;
  }
  if (result.identity) identity_.set_known(*result.identity);
  state_ = State::connecting;
  actions_->connect_server = true;
  return true;
}

bool Session::Impl::step_client_authenticating() {
  std::string_view& input = client_input_.view(actions_->to_server);
  if (input.empty() && client_reader_.at_boundary()) return false;
  if (client_reader_.at_boundary() && input[0] != fe::kPassword) {
    if (!link_.login().is_password_asked()) return false;  // waits until the server is ready for it
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
      link_.login().on_password();
      client_reader_.stream();
      return true;
    case pgwire::FrameReader::Step::piece:
    case pgwire::FrameReader::Step::message: link_.forward(client_reader_); return true;
  }
  return false;
}

void Session::Impl::on_cancel_key(pgwire::CancelKey key) {
  actions_->register_cancel_key = std::move(key);
}

void Session::Impl::on_logged_in() {
  settings_.start(identity_.start_settings(startup_));
  startup_ = {};
  state_ = State::ready;
}

// What plugins see of what the server reports.
void Session::Impl::on_parameter(std::string_view name, std::string_view value) {
  if (name == "application_name") identity_.set_application_name(value);
}

}  // namespace helios::session
