// SPDX-License-Identifier: Apache-2.0
#pragma once

// The login of a link, as the proxy relays it: client and server talk, and the proxy notes whose turn it is, and when the
// server has let the client in.
//
// Thread rule: the link's.

#include <cstdint>
#include <string_view>

namespace helios::backend {

class ServerLogin {
 public:
  // How a message of the server is to be read before it is ready.
  enum class Reading { whole, pieces, refused };
  [[nodiscard]] static Reading reading_of(char type, std::uint32_t length);

  // An Authentication message with this body.
  void on_request(std::string_view body);
  // The client has answered.
  void on_password() { is_password_asked_ = false; }
  void on_ready() { is_ready_ = true; }

  [[nodiscard]] bool is_authenticated() const { return is_authenticated_; }
  // It is the client's turn: with a password, or whatever else the server has asked for.
  [[nodiscard]] bool is_password_asked() const { return is_password_asked_; }
  // The first ReadyForQuery has come.
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  bool is_authenticated_ = false;
  bool is_password_asked_ = false;
  bool is_ready_ = false;
};

}  // namespace helios::backend
