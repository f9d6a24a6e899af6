// SPDX-License-Identifier: Apache-2.0
#include "auth/responder.hpp"

#include "auth/md5.hpp"

#include <algorithm>
#include <utility>

namespace helios::auth {
namespace {

using Kind = Responder::Step::Kind;
using pgwire::AuthenticationRequest;

Responder::Step failed(std::string why) { return {Kind::failed, std::move(why)}; }

Responder::Step out_of_turn() {
  return failed("the server sent an Authentication message out of turn");
}

}  // namespace

Responder::Step Responder::resume(std::string_view body) {
  const auto message = pgwire::parse_authentication(body);
  if (!message) return failed("the server sent a malformed Authentication message");
  switch (message->request) {
    case AuthenticationRequest::ok: return enter();
    case AuthenticationRequest::cleartext_password: return show_password();
    case AuthenticationRequest::md5_password: return answer_md5(message->data);
    case AuthenticationRequest::sasl: return begin_scram(message->data);
    case AuthenticationRequest::sasl_continue: return go_on_with_scram(message->data);
    case AuthenticationRequest::sasl_final: return end_scram(message->data);
  }
  return failed("the server asks for an authentication that the proxy does not know (" +
                std::to_string(static_cast<std::uint32_t>(message->request)) + ")");
}

// One that lets in whoever has begun with SCRAM, and has not shown that it knows the verifier, is perhaps another one.
Responder::Step Responder::enter() {
  if (turn_ == Turn::begun || turn_ == Turn::answered)
    return failed("the server did not prove that it knows the password");
  if (turn_ == Turn::over) return out_of_turn();
  turn_ = Turn::over;
  credentials_ = {};
  return {Kind::in};
}

Responder::Step Responder::lack(std::string_view what) const {
  const std::string_view has = std::holds_alternative<std::monostate>(credentials_) ? "no secret"
                               : std::holds_alternative<Md5Hash>(credentials_) ? "only an md5 hash"
                                                                               : "only SCRAM keys";
  return failed("the server asks for " + std::string(what) + ", and the proxy has " +
                std::string(has) + " of user \"" + user_ + "\"");
}

Responder::Step Responder::show_password() {
  if (turn_ != Turn::begin) return out_of_turn();
  turn_ = Turn::shown;
  const auto* password = std::get_if<SecretText>(&credentials_);
  if (password == nullptr) return lack("a password");
  return {Kind::send, pgwire::password_message(password->text())};
}

Responder::Step Responder::answer_md5(std::string_view salt) {
  if (turn_ != Turn::begin) return out_of_turn();
  turn_ = Turn::shown;
  if (salt.size() != pgwire::Md5Salt().size())
    return failed("the server sent a malformed Authentication message");
  if (const auto* hash = std::get_if<Md5Hash>(&credentials_))
    return {Kind::send, pgwire::password_message(md5_answer(hash->text.text(), salt))};
  const auto* password = std::get_if<SecretText>(&credentials_);
  if (password == nullptr) return lack("an md5 password");
  return {Kind::send,
          pgwire::password_message(md5_answer(md5_hash(password->text(), user_), salt))};
}

Responder::Step Responder::begin_scram(std::string_view list) {
  if (turn_ != Turn::begin) return out_of_turn();
  turn_ = Turn::begun;
  const auto mechanisms = pgwire::parse_mechanisms(list);
  if (!mechanisms) return failed("the server sent a malformed Authentication message");
  const auto offers = [&](std::string_view name) {
    return std::ranges::find(*mechanisms, name) != mechanisms->end();
  };
  const bool is_plus = offers(kScramPlus) && !channel_binding_.empty();
  if (!is_plus && !offers(kScram))
    return failed("the server offers no SASL mechanism that the proxy knows");
  const ScramClient::Channel channel{.binding = channel_binding_, .is_plus = is_plus};
  if (const auto* password = std::get_if<SecretText>(&credentials_)) {
    scram_.emplace(*password, channel);
  } else if (const auto* keys = std::get_if<ScramKeys>(&credentials_)) {
    scram_.emplace(*keys, channel);
  } else {
    return lack("scram-sha-256");
  }
  return {Kind::send,
          pgwire::sasl_initial_response(is_plus ? kScramPlus : kScram, scram_->begin())};
}

Responder::Step Responder::go_on_with_scram(std::string_view data) {
  if (turn_ != Turn::begun) return out_of_turn();
  turn_ = Turn::answered;
  const auto answer = scram_->answer(data);
  if (!answer) return failed(answer.error().message);
  return {Kind::send, pgwire::sasl_response(*answer)};
}

Responder::Step Responder::end_scram(std::string_view data) {
  if (turn_ != Turn::answered) return out_of_turn();
  if (!scram_->check(data)) return failed("the server did not prove that it knows the password");
  turn_ = Turn::proved;
  return {Kind::wait};
}

}  // namespace helios::auth
