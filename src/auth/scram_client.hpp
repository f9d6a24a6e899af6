// SPDX-License-Identifier: Apache-2.0
#pragma once

// The client's side of SCRAM-SHA-256: proves that it has a password, or its ClientKey, without showing it; and finds out
// whether the server has the verifier, or only pretends to be the server.
//
// Flow: 1 begin(); 2 answer() to the server's first message; 3 check() of his last one.
//
// Thread rule: one thread at a time.

#include "auth/scram.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace helios::auth {

// What a login is made with when the password is not known: a ClientKey that fits one verifier.
struct ScramKeys {
  Key client_key;
  ScramVerifier verifier;
};

using ScramSecret = std::variant<SecretText, ScramKeys>;

class ScramClient {
 public:
  // What is known of the channel to the server.
  struct Channel {
    std::string binding = {};  // tls-server-end-point (RFC 5929); empty: it cannot be bound
    bool is_plus = false;      // the server has offered SCRAM-SHA-256-PLUS
  };

  // `nonce`: make_nonce(), but for tests.
  ScramClient(ScramSecret secret, Channel channel, std::string nonce = {});

  // client-first-message.
  [[nodiscard]] std::string begin() const;

  // server-first-message -> client-final-message. Errors: invalid, malformed; unavailable, the keys fit another verifier
  // than the server's; the message says what to do.
  [[nodiscard]] base::Result<std::string> answer(std::string_view message);

  // Whether server-final-message shows that the server has the verifier. Nothing may be sent to one that has not.
  [[nodiscard]] bool check(std::string_view message) const;

 private:
  struct Offer {
    std::string nonce;
    std::string salt = {};
    std::uint32_t iterations = 0;
  };
  [[nodiscard]] base::Result<Offer> read(std::string_view message) const;
  [[nodiscard]] base::Result<void> take_keys(const Offer& offer);

  ScramSecret secret_;
  std::string header_;   // flag and authorization identity
  std::string binding_;  // in base64: the header, and the channel's where it is bound
  std::string nonce_;
  Key client_key_;
  Key stored_key_;
  Key server_key_;
  std::optional<Key> server_signature_;  // nullopt: not answered yet
};

}  // namespace helios::auth
