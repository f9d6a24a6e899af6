// SPDX-License-Identifier: Apache-2.0
#include "session/client_login.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/text.hpp"
#include "pgwire/proxy_header.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/blocking.hpp"
#include "session/refusal_records.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

namespace {

constexpr std::size_t kHeaderBytes = 8;  // length and code
// NAMEDATALEN - 1: the server cuts longer names off, and means another user than the rules would.
constexpr std::size_t kMaxNameBytes = 63;

// As the server reads words for yes and no (parse_bool): beginnings of true, false, yes and no, and on, off, 1 and 0, in
// any case. nullopt: none of them.
std::optional<bool> read_bool(std::string_view value) {
  const std::string word = base::to_lower(value);
  const auto begins = [&word](std::string_view whole, std::size_t least) {
    return word.size() >= least && whole.starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return false;
  return std::nullopt;
}

bool is_off(std::string_view value) { return read_bool(value) == false; }

}  // namespace

ClientLogin::ClientLogin(Environment& environment, Identity& identity, const Peer& peer,
                         std::function<void()> wake)
    : environment_(environment),
      identity_(identity),
      elsewhere_(std::move(wake)),
      guard_(environment, identity),
      is_over_limit_(peer.is_over_limit),
      expects_header_(peer.is_front) {
  if (!expects_header_) guard_.arrive();
}

ClientLogin::Next ClientLogin::step_packet(std::string_view& input) {
  if (expects_header_) {
    const Next next = step_header(input);
    if (expects_header_) return next;
  }
  return guard_.is_dropped() ? Next::end : step_first_packet(input);
}

// Only from here on it is known who the client is, and how many others are there with him.
ClientLogin::Next ClientLogin::step_header(std::string_view& input) {
  auto header = pgwire::parse_proxy_header(input);
  if (!header) {
    ++environment_.counters->bad_proxy_headers;
    const std::string& front = identity_.client_ip();
    environment_.warn("PROXY header from " + (front.empty() ? "the Unix socket" : front) +
                      " is wrong: " + header.error().message);
    return Next::end;
  }
  if (!*header) return Next::wait;
  input.remove_prefix((*header)->bytes);
  if (!(*header)->client_ip.empty()) identity_.set_client_ip(std::move((*header)->client_ip));
  expects_header_ = false;
  guard_.arrive();
  return Next::wait;
}

// Who sends something else than a packet does not speak the protocol, or is Terminate of a client that never began: as
// PostgreSQL, we have no word for it.
ClientLogin::Next ClientLogin::step_first_packet(std::string_view& input) {
  if (is_direct_handshake(input)) {
    // What he is told has to be encrypted, and the handshake is what he shall not have.
    if (guard_.is_turned_away()) {
      static_cast<void>(guard_.refusal());
      return Next::end;
    }
    has_answered_ssl_ = true;
    return Next::encrypt;
  }
  if (input.size() < 4) return Next::wait;
  const auto length = static_cast<std::uint32_t>(base::load_i32(input.data()));
  if (length < kHeaderBytes || length > pgwire::kMaxStartupPacketBytes) {
    ++environment_.counters->protocol_errors;
    return Next::end;
  }
  if (input.size() < length) return Next::wait;
  const std::string_view packet = input.substr(0, length);
  input.remove_prefix(length);
  return handle(base::load_i32(packet.data() + 4), packet, input);
}

// Through a Unix socket nobody listens in; libpq does not ask there.
bool ClientLogin::offers_encryption() const {
  return environment_.config->tls.mode != config::TlsMode::disable &&
         !identity_.came_by_unix_socket();
}

// TLS without a request in front of it (sslnegotiation=direct), as PostgreSQL 17 has it. No packet begins with this byte:
// it would be far too long.
bool ClientLogin::is_direct_handshake(std::string_view input) const {
  constexpr char kHandshakeRecord = 0x16;
  return !input.empty() && input[0] == kHandshakeRecord && !has_answered_ssl_ &&
         !has_answered_gss_ && offers_encryption();
}

ClientLogin::Next ClientLogin::handle(std::int32_t code, std::string_view packet,
                                      std::string_view rest) {
  const std::string_view body = packet.substr(kHeaderBytes);
  if (code == pgwire::kCancelRequestCode) {
    auto key = pgwire::parse_cancel_key(body);
    if (!key) return Next::end;
    cancel_key_ = std::move(*key);
    return Next::deliver_cancel;
  }
  if (code == pgwire::kSslRequestCode && !std::exchange(has_answered_ssl_, true)) {
    return answer_ssl_request(rest);
  }
  if (code == pgwire::kGssEncRequestCode && !std::exchange(has_answered_gss_, true)) {
    return refuse_encryption("GSSAPI encryption request", rest);
  }
  if (code >> 16 != pgwire::kProtocolMajor) {
    return refuse(sqlstate::kFeatureNotSupported,
                  "unsupported frontend protocol " + std::to_string(code >> 16) + "." +
                      std::to_string(code & 0xFFFF) + ": server supports 3.0 to 3.0");
  }
  auto message = pgwire::parse_startup_message(body);
  if (!message) return refuse(sqlstate::kProtocolViolation, message.error().message);
  return begin(std::move(*message), packet);
}

// What came along was sent in clear, perhaps by somebody on the way, and would be read as if it had been encrypted
// (CVE-2021-23214): nothing of it is read, and nobody is told to go on.
ClientLogin::Next ClientLogin::answer_ssl_request(std::string_view rest) {
  if (!offers_encryption()) return refuse_encryption("SSL request", rest);
  if (guard_.is_turned_away()) {
    refusal_ = guard_.refusal();
    return Next::refuse;
  }
  if (rest.empty()) return Next::say_yes;
  return refuse(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
}

// The client has to wait for the answer. Bytes that came along were sent by somebody who took an
// encrypted connection for granted; PostgreSQL ends the connection then, and so do we.
ClientLogin::Next ClientLogin::refuse_encryption(std::string_view what, std::string_view rest) {
  if (!rest.empty()) {
    refuse(sqlstate::kProtocolViolation, "received unencrypted data after " + std::string(what));
  }
  return Next::say_no;
}

ClientLogin::Next ClientLogin::refuse(std::string_view sqlstate, std::string message) {
  refusal_ = Refusal{std::string(sqlstate), std::move(message), 0};
  return Next::refuse;
}

ClientLogin::Next ClientLogin::deny(Refusal refusal, const hooks::ChainResult* decision) {
  refusal_ = note_denied_login(environment_, identity_, std::move(refusal), decision);
  return Next::refuse;
}

ClientLogin::Next ClientLogin::begin(pgwire::StartupMessage message, std::string_view packet) {
  startup_ = std::move(message);
  packet_ = packet;
  const config::IdentityRule* rule = identity_.start(startup_, *environment_.config);
  if (rule != nullptr && environment_.identity_rule_use != nullptr) {
    environment_.identity_rule_use->note_match(*rule);
  }
  is_replication_ = std::ranges::any_of(startup_.parameters, [](const auto& parameter) {
    return parameter.first == "replication" && !is_off(parameter.second);
  });
  if (guard_.is_turned_away()) return deny(guard_.refusal());
  if (auto refusal = objection()) return deny(std::move(*refusal));
  const Next turn = step_turn();
  return turn == Next::ask ? look() : turn;
}

// Where logins before this one have failed, it waits.
ClientLogin::Next ClientLogin::step_turn() {
  LoginGuard::Turn turn = guard_.take_turn();
  if (turn.refusal) return deny(*std::move(turn.refusal));
  hold_ms_ = turn.wait_ms;
  return hold_ms_ > 0 ? Next::hold : Next::ask;
}

ClientLogin::Next ClientLogin::end_hold() { return proof_ ? Next::ask : look(); }

ClientLogin::Next ClientLogin::look() {
  return environment_.login_rules == nullptr || is_over_limit_ ? go_on() : prove();
}

// It decides which host rules are for the client, so the server must not read it otherwise: a word that it does not know,
// and a second one, are refused.
ClientLogin::Next ClientLogin::prove() {
  std::optional<std::string_view> replication;
  for (const auto& [name, value] : startup_.parameters) {
    if (name != "replication") continue;
    if (replication || (value != "database" && !read_bool(value)))
      return deny({std::string(sqlstate::kInvalidParameterValue),
                   "invalid value for parameter \"replication\": \"" + value + "\""});
    replication = value;
  }
  if (identity_.user().empty())
    return deny({std::string(sqlstate::kInvalidAuthorization),
                 "no PostgreSQL user name specified in startup packet"});
  const bool is_physical = replication && *replication != "database" && !is_off(*replication);
  proof_ = std::make_unique<Proof>(
      environment_.login_rules, identity_,
      Proof::Client{.is_encrypted = is_encrypted_,
                    .is_physical_replication = is_physical,
                    .may_show_password = environment_.config->auth.allow_cleartext_passwords});
  return follow(proof_->begin());
}

ClientLogin::Next ClientLogin::step_proof(std::string_view body) {
  return follow(proof_->resume(body));
}

ClientLogin::Next ClientLogin::follow(Proof::Next next) {
  switch (next) {
    case Proof::Next::ask: return Next::ask;
    case Proof::Next::done: return go_on();
    case Proof::Next::refuse: guard_.note_failure(); return deny(proof_->refusal());
    case Proof::Next::malformed: break;
  }
  refusal_ = proof_->refusal();
  return Next::refuse;
}

std::unique_ptr<auth::Responder> ClientLogin::take_responder() {
  if (!proof_) return nullptr;
  auto credentials = proof_->take_credentials();
  if (!credentials) return nullptr;
  return std::make_unique<auth::Responder>(*std::move(credentials), identity_.user());
}

// Only who has proved himself is told about himself, and takes a place from others.
ClientLogin::Next ClientLogin::go_on() {
  if (proof_) {
    identity_.set_auth_method(proof_->method());
    if (auto refusal = objection_to_blocked()) return deny(std::move(*refusal));
  }
  if (std::string complaint = admit(); !complaint.empty())
    return deny({std::string(sqlstate::kTooManyConnections), std::move(complaint)});
  if (!environment_.chain->has_authenticate()) return Next::connect;
  vet();
  return Next::vet;
}

// The rules, in their order.
std::optional<Refusal> ClientLogin::objection() const {
  auto refusal = identity_.objection_to_os_user(environment_.config->listen);
  if (!refusal) refusal = objection_to_plaintext();
  if (!refusal) refusal = objection_to_packet();
  if (!refusal && environment_.login_rules == nullptr) refusal = objection_to_blocked();
  if (!refusal) refusal = identity_.objection_to_startup(startup_);
  return refusal;
}

std::optional<Refusal> ClientLogin::objection_to_plaintext() const {
  const bool is_required = environment_.config->tls.mode == config::TlsMode::require;
  if (!is_required || is_encrypted_ || identity_.came_by_unix_socket()) return std::nullopt;
  return Refusal{std::string(sqlstate::kInvalidAuthorization),
                 "connections without TLS are not accepted ([tls] mode = \"require\")",
                 0,
                 {},
                 "Connect with sslmode=require, or verify-full."};
}

std::optional<Refusal> ClientLogin::objection_to_blocked() const {
  if (environment_.blocks == nullptr) return std::nullopt;
  Settings settings;  // those that the session will begin with
  settings.start(identity_.start_settings(startup_));
  return objection_to_blocked_login(environment_, identity_.names(settings));
}

bool ClientLogin::is_blocked() {
  auto refusal = objection_to_blocked();
  if (!refusal) return false;
  deny(std::move(*refusal));
  return true;
}

// What the server would understand otherwise than the rules here, and what would pass hooks by.
std::optional<Refusal> ClientLogin::objection_to_packet() const {
  const config::Config& config = *environment_.config;
  const bool may_replicate = config.protocol.replication == config::Policy::allow ||
                             (config.plugins.directory.empty() && !environment_.chain->has_hooks());
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
std::string ClientLogin::admit() {
  if (is_over_limit_) return "sorry, too many clients already";
  if (environment_.admission == nullptr) return {};
  std::string complaint = environment_.admission->enter(identity_.user(), identity_.database());
  if (complaint.empty()) place_ = Place(*environment_.admission, identity_);
  return complaint;
}

// Authenticate hooks run before the server hears of the client.
void ClientLogin::vet() {
  vetting_ = std::make_unique<Vetting>(*environment_.home, [this] { elsewhere_.finish(); });
  vetting_->request = identity_.authentication_request();
  vetting_->request.chain = environment_.chain;
  if (vetting_->chain_run.authenticate(vetting_->request) == hooks::RunStatus::pending) {
    elsewhere_.await();
  }
}

ClientLogin::Next ClientLogin::step_vetting() {
  if (pending()) return Next::wait;
  if (!vetting_->kept) {
    const auto on_kept = [this](hooks::Kept late) {
      vetting_->kept = late;
      elsewhere_.finish();
    };
    const auto kept =
        hooks::StateBarrier::wait(vetting_->chain_run.receipt(), *environment_.home, on_kept);
    if (kept == hooks::Kept::pending) {
      elsewhere_.await();
      return Next::wait;
    }
    vetting_->kept = kept;
  }
  const bool is_kept = vetting_->kept == hooks::Kept::yes;
  const hooks::ChainResult result = vetting_->chain_run.result();
  vetting_.reset();
  if (result.refused) {
    guard_.note_failure();
    return deny({result.sqlstate, result.message}, &result);
  }
  if (!is_kept) return refuse(sqlstate::kIoError, std::string(hooks::kNotKeptText));
  if (result.identity) identity_.set_known(*result.identity);
  if (auto refusal = objection_to_blocked()) return deny(std::move(*refusal));
  return Next::connect;
}

}  // namespace helios::session
