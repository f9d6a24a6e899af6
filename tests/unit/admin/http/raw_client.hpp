// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client that sends exactly the bytes it is told to, unlike any HTTP library.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::admin::http {

struct RawResponse {
  int status = 0;
  std::string head;  // status line and header lines
  std::string body;

  // The value of a header, empty when absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};

// Thread rule: one thread. Every wait ends after some seconds, with a failure.
class RawClient {
 public:
  // Connects to a loopback address, 127.0.0.1 or ::1. See is_connected().
  explicit RawClient(std::uint16_t port, bool is_v6 = false);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool is_connected() const { return socket_ >= 0; }

  // False when the server stopped listening to it.
  bool send(std::string_view bytes);

  // Says that nothing more will be sent.
  void finish_sending();

  // The next response; its body is what Content-Length says, none for `is_head` and 1xx. Nullopt
  // when the connection ended or nothing came.
  std::optional<RawResponse> read_response(bool is_head = false);

  // Whether the connection ends without a further byte.
  bool is_closed_by_server();

  // Sends and reads the answer.
  std::optional<RawResponse> ask(std::string_view bytes) {
    return send(bytes) ? read_response() : std::nullopt;
  }

 private:
  bool receive();

  int socket_ = -1;
  std::string received_;  // and not yet used
};

}  // namespace helios::admin::http
