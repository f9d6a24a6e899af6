// SPDX-License-Identifier: Apache-2.0
#include "auth/scram_client.hpp"

#include "auth/scram_words.hpp"
#include "base/base64.hpp"

#include <charconv>
#include <utility>

namespace helios::auth {
namespace {

std::unexpected<base::Error> malformed() {
  return base::fail(base::Errc::invalid, "the server sent a malformed SCRAM message");
}

}  // namespace

// Flag y: we could bind the channel, and were not offered it. A server that has offered it finds out that somebody stands
// between us.
ScramClient::ScramClient(ScramSecret secret, Channel channel, std::string nonce)
    : secret_(std::move(secret)), nonce_(nonce.empty() ? make_nonce() : std::move(nonce)) {
  const bool is_bound = channel.is_plus && !channel.binding.empty();
  header_ = is_bound ? "p=tls-server-end-point,," : channel.binding.empty() ? "n,," : "y,,";
  binding_ = base::base64_encode(is_bound ? header_ + channel.binding : header_);
}

std::string ScramClient::begin() const { return header_ + "n=,r=" + nonce_; }

base::Result<ScramClient::Offer> ScramClient::read(std::string_view message) const {
  std::string_view rest = message;
  const auto nonce = take_attribute(rest, 'r');
  const auto salt = take_attribute(rest, 's');
  const auto digits = take_attribute(rest, 'i');
  if (!nonce || !salt || !digits) return malformed();
  // It must be the answer to our message, and the server's own part must be there.
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size() || !is_printable(*nonce))
    return malformed();
  auto salt_bytes = base::base64_decode(*salt);
  Offer offer{.nonce = std::string(*nonce)};
  const auto [end, error] =
      std::from_chars(digits->data(), digits->data() + digits->size(), offer.iterations);
  const bool is_number = error == std::errc() && end == digits->data() + digits->size();
  if (!salt_bytes || salt_bytes->empty() || !is_number || offer.iterations == 0) return malformed();
  if (offer.iterations > kMaxScramIterations)
    return base::fail(base::Errc::limit_exceeded,
                      "the server asks for " + std::to_string(offer.iterations) +
                          " rounds of SCRAM, more than " + std::to_string(kMaxScramIterations));
  offer.salt = *std::move(salt_bytes);
  return offer;
}

base::Result<void> ScramClient::take_keys(const Offer& offer) {
  if (const auto* keys = std::get_if<ScramKeys>(&secret_)) {
    if (offer.salt != keys->verifier.salt || offer.iterations != keys->verifier.iterations)
      return base::fail(base::Errc::unavailable,
                        "the server has another SCRAM verifier for this user than the proxy: copy "
                        "it from pg_authid");
    client_key_ = keys->client_key;
    stored_key_ = keys->verifier.stored_key;
    server_key_ = keys->verifier.server_key;
    return {};
  }
  const SecretText prepared = prepare_password(std::get<SecretText>(secret_).text());
  const Key salted = salted_password(prepared.text(), offer.salt, offer.iterations);
  client_key_ = client_key(salted);
  stored_key_ = hash(client_key_);
  server_key_ = server_key(salted);
  return {};
}

base::Result<std::string> ScramClient::answer(std::string_view message) {
  const auto offer = read(message);
  if (!offer) return std::unexpected(offer.error());
  if (auto taken = take_keys(*offer); !taken) return std::unexpected(taken.error());
  std::string final = "c=" + binding_ + ",r=" + offer->nonce;
  const std::string conversation =
      begin().substr(header_.size()) + "," + std::string(message) + "," + final;
  const Key proof = exclusive_or(client_key_, hmac(stored_key_, conversation));
  server_signature_ = hmac(server_key_, conversation);
  return final + ",p=" + base::base64_encode(proof.view());
}

bool ScramClient::check(std::string_view message) const {
  if (!server_signature_ || !message.starts_with("v=")) return false;
  const auto signature = base::base64_decode(message.substr(2));
  return signature && signature->size() == Key::kBytes && Key(*signature) == *server_signature_;
}

}  // namespace helios::auth
