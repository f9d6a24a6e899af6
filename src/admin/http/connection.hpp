// SPDX-License-Identifier: Apache-2.0
#pragma once

// One client connection of the admin server. Private to admin/http.
//
//   shaking hands (TLS only)
//        |
//   idle -> reading header -> reading body -> answering -> writing -> idle
//                  |               |                          |
//                  +- refused -----+------------------------> writing -> parting -> closed
//
// In every state but "answering" exactly one asynchronous operation is under way, with a deadline;
// while answering none is: the handler holds the reply.

#include "admin/http/mailbox.hpp"
#include "admin/http/server.hpp"
#include "admin/http/stream.hpp"
#include "base/faults.hpp"
#include "base/quiet_log.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace helios::admin::http {

class Connection;

// What a connection needs of its server; outlives it.
struct ConnectionHost {
  Limits limits;
  Handler handler;
  base::FaultSink* faults = nullptr;
  base::QuietLog* quiet_log = nullptr;
  ServerStats* stats = nullptr;
  std::shared_ptr<Mailbox> mailbox;
  std::function<void(const std::shared_ptr<Connection>&)> on_closed;
  std::function<bool()> is_crowded;  // no room for another connection
};

// Thread rule: the server's thread. Kept alive by the server until on_closed.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `tls` may be nullptr: plain. `peer` is whose place it takes, see PeerCounts.
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls,
             boost::asio::ip::tcp::endpoint peer, ConnectionHost& host);

  void start();

  [[nodiscard]] const boost::asio::ip::tcp::endpoint& peer() const { return peer_; }

  // Closes the socket, whatever is under way. For a server that has stopped.
  void cut();

  // The answer to the request that was handed out last.
  void answer(Response response) {
    run([&] { finish(std::move(response)); });
  }

 private:
  using ErrorCode = boost::beast::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Message = boost::beast::http::response<boost::beast::http::string_body>;

  // Every step of the connection runs in here. What it throws is reported, and ends the connection: otherwise it
  // would keep its place for ever, with nothing under way.
  template <typename Step>
  void run(Step&& step) {
    if (!base::contain(host_.faults, base::FaultPlace::admin, std::forward<Step>(step))) close();
  }

  void shake_hands();
  void on_shaken(ErrorCode error);
  void await_request();
  void read_header();
  void on_header(ErrorCode error);
  void write_continue();
  void read_body();
  void dispatch();
  void on_read_failed(ErrorCode error);
  void finish(Response response);
  void refuse(Response response);
  void write(Response response);
  void on_written(ErrorCode error);
  void part();
  void linger();
  void discard_rest();
  Request take_request();
  void expires_after(std::uint32_t ms);
  void close();

  ConnectionHost& host_;
  const boost::asio::ip::tcp::endpoint peer_;
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Request request_;                 // its header has been read
  std::optional<Message> message_;  // being written
  std::uint64_t discarded_bytes_ = 0;
  unsigned version_ = 11;  // of the request being answered
  bool is_head_ = false;
  bool keep_alive_ = false;
  bool has_been_served_ = false;  // a request was read
};

}  // namespace helios::admin::http
