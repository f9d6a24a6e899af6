// SPDX-License-Identifier: Apache-2.0
#pragma once

// The login of a link. Either the proxy relays it: client and server talk, and the proxy notes whose turn it is, and when the
// server has let the client in. Or it logs in itself, for a client whom it has let in before: a Responder answers the
// server, and the client is told of nothing but the end.
//
// Thread rule: the link's.

#include "auth/responder.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace helios::backend {

class ServerLogin {
 public:
  // How a message of the server is to be read before it is ready.
  enum class Reading { whole, pieces, refused };
  [[nodiscard]] static Reading reading_of(char type, std::uint32_t length);

  // From here on the proxy answers by itself. Before the first request.
  void answer_with(std::unique_ptr<auth::Responder> responder) {
    responder_ = std::move(responder);
  }
  // Null: the client answers.
  [[nodiscard]] auth::Responder* responder() { return responder_.get(); }

  // An Authentication message with this body.
  void on_request(std::string_view body);
  // The client has answered.
  void on_password() { is_password_asked_ = false; }
  void on_ready() {
    is_ready_ = true;
    responder_.reset();
  }

  [[nodiscard]] bool is_authenticated() const { return is_authenticated_; }
  [[nodiscard]] bool is_relayed() const { return responder_ == nullptr; }
  // It is the client's turn: with a password, or whatever else the server has asked for.
  [[nodiscard]] bool is_password_asked() const { return is_password_asked_; }
  // The first ReadyForQuery has come.
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  std::unique_ptr<auth::Responder> responder_;  // null: the login is relayed
  bool is_authenticated_ = false;
  bool is_password_asked_ = false;
  bool is_ready_ = false;
};

}  // namespace helios::backend
