// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client's socket, with TLS or without: what Boost.Beast reads from and writes to. Private to
// admin/http.
//
// Thread rule: the server's thread. Deadlines are those of tcp(), set before each operation.

#include "admin/http/tls_context.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <memory>
#include <utility>
#include <variant>

namespace helios::admin::http {

class Stream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // `tls` may be nullptr: plain.
  Stream(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls)
      : context_(std::move(tls)), stream_(make(std::move(socket), context_.get())) {}

  [[nodiscard]] bool is_encrypted() const { return std::holds_alternative<Tls>(stream_); }

  // The socket beneath, with the deadline.
  [[nodiscard]] boost::beast::tcp_stream& tcp() {
    auto* const tls = std::get_if<Tls>(&stream_);
    return tls != nullptr ? tls->next_layer() : std::get<Plain>(stream_);
  }

  executor_type get_executor() { return tcp().get_executor(); }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    std::visit(
        [&](auto& stream) { stream.async_read_some(buffers, std::forward<Handler>(handler)); },
        stream_);
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    std::visit(
        [&](auto& stream) { stream.async_write_some(buffers, std::forward<Handler>(handler)); },
        stream_);
  }

  // Requires: is_encrypted().
  template <typename Handler>
  void async_handshake(Handler&& handler) {
    std::get<Tls>(stream_).async_handshake(boost::asio::ssl::stream_base::server,
                                           std::forward<Handler>(handler));
  }

  // Says goodbye and waits for the client's. Requires: is_encrypted().
  template <typename Handler>
  void async_shutdown(Handler&& handler) {
    std::get<Tls>(stream_).async_shutdown(std::forward<Handler>(handler));
  }

 private:
  using Plain = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<Plain>;
  using Either = std::variant<Plain, Tls>;

  static Either make(boost::asio::ip::tcp::socket socket, TlsContext* tls) {
    if (tls == nullptr) return Either(std::in_place_type<Plain>, std::move(socket));
    return Either(std::in_place_type<Tls>, std::move(socket), *tls);
  }

  std::shared_ptr<TlsContext> context_;
  Either stream_;
};

}  // namespace helios::admin::http
