// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the proxy logs in to a server: the server asks, and this answers with what the credentials allow.
//
// Flow: resume() with the body of each Authentication message, until it says `in` or `failed`.
//
// Thread rule: one thread at a time. A password for scram-sha-256 takes a millisecond or two, as PBKDF2 does.

#include "auth/credentials.hpp"
#include "pgwire/authentication.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace helios::auth {

class Responder {
 public:
  struct Step {
    enum class Kind {
      send,    // `text` is a message for the server
      wait,    // for its next one
      in,      // it has let us in
      failed,  // `text` says why, and what to do; nothing more is sent
    };
    Kind kind = Kind::wait;
    std::string text = {};
  };

  Responder(Credentials credentials, std::string user)
      : credentials_(std::move(credentials)), user_(std::move(user)) {}

  // The connection to the server is encrypted: the binding of its channel (RFC 5929, tls-server-end-point). Before the first
  // request.
  void bind(std::string channel_binding) { channel_binding_ = std::move(channel_binding); }

  [[nodiscard]] Step resume(std::string_view body);

 private:
  [[nodiscard]] Step show_password();
  [[nodiscard]] Step answer_md5(std::string_view salt);
  [[nodiscard]] Step begin_scram(std::string_view mechanisms);
  [[nodiscard]] Step go_on_with_scram(std::string_view data);
  [[nodiscard]] Step end_scram(std::string_view data);
  [[nodiscard]] Step enter();
  [[nodiscard]] Step lack(std::string_view what) const;

  Credentials credentials_;
  std::string user_;
  std::string channel_binding_;
  std::optional<ScramClient> scram_;
  // Whose turn it is: the server asks once, and goes on with that alone.
  enum class Turn {
    begin,     // nothing was asked yet
    shown,     // a password was: Ok is next
    begun,     // with SCRAM: the server's first message is next
    answered,  // the server has to prove that it has the verifier
    proved,    // it has: Ok is next
    over,
  };
  Turn turn_ = Turn::begin;
};

}  // namespace helios::auth
