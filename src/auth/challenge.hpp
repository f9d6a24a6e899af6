// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the proxy finds out whether a client is who he says: it asks, he answers, message by message, until it knows.
//
// A user whom nobody knows is asked like everybody else, and his answer is computed like theirs: neither words, nor salts,
// nor time tell him apart from somebody with a wrong password.
//
// Flow: begin(), then resume() with each 'p' message of the client, while they say `ask`.
//
// Thread rule: one thread at a time. Method `password` with a SCRAM verifier takes a millisecond or two, as PBKDF2 does.

#include "auth/credentials.hpp"
#include "auth/scram_server.hpp"
#include "pgwire/authentication.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace helios::auth {

// A password that the proxy has, and the verifier that it makes of it.
struct StoredPassword {
  SecretText password;
  ScramVerifier verifier;
};

// What the proxy knows of a user; std::monostate: nothing, there may be no such user.
using StoredSecret = std::variant<std::monostate, StoredPassword, Md5Hash, ScramVerifier>;

class Challenge {
 public:
  enum class Method {
    password,  // he shows it
    md5,       // where the secret is an md5 hash; else scram, as in PostgreSQL
    scram,
  };
  struct Options {
    Method method = Method::scram;
    std::string user = {};
    StoredSecret secret = {};
    std::string_view mock_secret = {};     // of make_mock_verifier(); outlives this
    std::uint32_t mock_iterations = 4096;  // of make_mock_verifier(), too
    std::string channel_binding = {};      // of ScramServer; empty: PLUS is not offered
  };
  struct Step {
    enum class Kind {
      ask,        // `text` is a message for the client, who answers it
      right,      // it is he; `text` is a last message for him, or empty
      wrong,      // it is not, or there is no such user
      malformed,  // `text` says what is wrong with his message
    };
    Kind kind = Kind::ask;
    std::string text = {};
  };

  // Could anybody prove by this method that he is the user of whom this is known?
  [[nodiscard]] static bool is_provable(Method method, const StoredSecret& secret);

  explicit Challenge(Options options);

  [[nodiscard]] Step begin();
  // `body` of the client's message.
  [[nodiscard]] Step resume(std::string_view body);

  // What one can log in with as him. Requires: it is he. Once.
  [[nodiscard]] Credentials take_credentials() { return std::move(credentials_); }

 private:
  [[nodiscard]] Step judge_password(std::string_view body);
  [[nodiscard]] Step judge_md5(std::string_view body);
  [[nodiscard]] Step begin_scram(std::string_view body);
  [[nodiscard]] Step answer_scram(std::string_view client_first);
  [[nodiscard]] Step finish_scram(std::string_view body);
  [[nodiscard]] bool fits(std::string_view password) const;
  [[nodiscard]] ScramServer::Options scram_options() const;
  [[nodiscard]] Credentials keep(Credentials otherwise) const;

  Options options_;
  pgwire::Md5Salt salt_{};
  std::optional<ScramServer> scram_;
  bool is_first_missing_ = false;  // of SCRAM: the client has named the mechanism alone
  Credentials credentials_;
};

}  // namespace helios::auth
