// SPDX-License-Identifier: Apache-2.0
#pragma once

// The server's side of SCRAM-SHA-256: checks that a client has the password that a verifier was made from.
//
// Flow: 1 begin() with the client's first message, whose answer goes to the client; 2 finish() with his second one.
// The messages are those of RFC 5802, section 7, without PostgreSQL's framing.
//
// Thread rule: one thread at a time.

#include "auth/scram.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace helios::auth {

class ScramServer {
 public:
  struct Options {
    ScramVerifier verifier;
    // The verifier is a mock one: whatever the client proves, he is not let in.
    bool is_doomed = false;
    // The client has chosen SCRAM-SHA-256-PLUS.
    bool is_plus = false;
    // Of the certificate that the client was shown (RFC 5929, tls-server-end-point). Empty: his channel cannot be bound, and
    // PLUS was not offered.
    std::string channel_binding = {};
    // make_nonce(), but for tests.
    std::string nonce = {};
  };

  explicit ScramServer(Options options) : options_(std::move(options)) {}

  // client-first-message -> server-first-message. Errors: invalid, what is wrong with it, in words for the client; or that
  // somebody between the two has hidden PLUS from him (flag y).
  [[nodiscard]] base::Result<std::string> begin(std::string_view message);

  // client-final-message -> server-final-message; nullopt: he does not have the password. Errors: invalid.
  [[nodiscard]] base::Result<std::optional<std::string>> finish(std::string_view message);

  // What the client's proof was made with: with it one can log in as him. Requires: finish() gave a message.
  [[nodiscard]] const Key& client_key() const { return client_key_; }
  [[nodiscard]] const ScramVerifier& verifier() const { return options_.verifier; }

 private:
  [[nodiscard]] base::Result<void> check_binding(std::string_view flag);

  Options options_;
  std::string header_;        // of the client's first message: flag and authorization identity
  std::string nonce_;         // his, then ours
  std::string conversation_;  // what both have said, without the header
  Key client_key_;
};

}  // namespace helios::auth
