// SPDX-License-Identifier: Apache-2.0
#include "admin/http/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>

namespace helios::admin::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
namespace ssl = boost::asio::ssl;
using ErrorCode = boost::system::error_code;
using Message = bhttp::request<bhttp::string_body>;
using Parser = bhttp::response_parser<bhttp::string_body>;

constexpr std::string_view kDefaultPort = "9090";
constexpr std::uint64_t kMaxBodyBytes = 64ULL << 20;

std::string authority_of(const Endpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.contains(':');
  return (is_ipv6 ? '[' + endpoint.host + ']' : endpoint.host) + ':' + endpoint.port;
}

bhttp::verb verb_of(Method method) {
  switch (method) {
    case Method::get: return bhttp::verb::get;
    case Method::head: return bhttp::verb::head;
    case Method::put: return bhttp::verb::put;
    case Method::post: return bhttp::verb::post;
    case Method::del: return bhttp::verb::delete_;
    case Method::other: break;
  }
  return bhttp::verb::options;
}

Message message_of(const Endpoint& endpoint, const Request& request) {
  Message message(verb_of(request.method), request.target, 11);
  message.set(bhttp::field::host, authority_of(endpoint));
  message.set(bhttp::field::connection, "close");
  if (!endpoint.token.empty()) message.set(bhttp::field::authorization, "Bearer " + endpoint.token);
  if (!request.accept.empty()) message.set(bhttp::field::accept, request.accept);
  if (request.if_match) message.set(bhttp::field::if_match, *request.if_match);
  if (request.if_none_match) message.set(bhttp::field::if_none_match, *request.if_none_match);
  if (request.ttl_ms) message.set("Helios-TTL-Ms", *request.ttl_ms);
  if (request.force) message.set("Helios-Force", *request.force);
  if (request.new_namespace) message.set("Helios-New-Namespace", *request.new_namespace);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

Response response_of(Parser& parser) {
  auto message = parser.release();
  Response response;
  response.status = static_cast<int>(message.result_int());
  response.content_type = std::string(message[bhttp::field::content_type]);
  for (const auto& field : message)
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  response.body = std::move(message.body());
  return response;
}

// One request on one connection. Every step has what is left of the time for all of them.
class Exchange {
 public:
  Exchange(const Endpoint& endpoint, const Message& message, std::int64_t timeout_ms)
      : endpoint_(endpoint), message_(message), timeout_(timeout_ms) {
    parser_.body_limit(kMaxBodyBytes);
    parser_.skip(message.method() == bhttp::verb::head);
  }

  base::Result<Response> run() {
    asio::ip::tcp::resolver resolver(io_);
    ErrorCode error;
    const auto addresses = resolver.resolve(endpoint_.host, endpoint_.port, error);
    if (error) return failed(error);
    beast::tcp_stream tcp(io_);
    tcp.expires_after(timeout_);
    error = await([&](auto handler) { tcp.async_connect(addresses, std::move(handler)); });
    if (error) return failed(error);
    if (!endpoint_.tls) return exchange(tcp);
    return exchange_over_tls(std::move(tcp));
  }

 private:
  // Runs one asynchronous step to its end: those have deadlines, the others have not.
  template <typename Start>
  ErrorCode await(Start start) {
    std::optional<ErrorCode> result;
    start([&result](ErrorCode error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result.value_or(asio::error::operation_aborted);
  }

  template <typename Stream>
  base::Result<Response> exchange(Stream& stream) {
    ErrorCode error =
        await([&](auto handler) { bhttp::async_write(stream, message_, std::move(handler)); });
    // A server that refuses a request may answer before it has read all of it.
    if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset)
      return failed(error);
    beast::flat_buffer buffer;
    error = await(
        [&](auto handler) { bhttp::async_read(stream, buffer, parser_, std::move(handler)); });
    if (error == bhttp::error::body_limit)
      return base::fail(base::Errc::limit_exceeded, place() + ": the answer is larger than 64 MiB");
    if (error) return failed(error);
    return response_of(parser_);
  }

  base::Result<Response> exchange_over_tls(beast::tcp_stream tcp) {
    ssl::context context(ssl::context::tls_client);
    ErrorCode error;
    if (endpoint_.ca_file.empty())
      context.set_default_verify_paths(error);
    else
      context.load_verify_file(endpoint_.ca_file, error);
    if (error) return base::fail(base::Errc::invalid, endpoint_.ca_file + ": " + error.message());
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    beast::ssl_stream<beast::tcp_stream> stream(std::move(tcp), context);
    stream.set_verify_mode(ssl::verify_peer, error);
    stream.set_verify_callback(ssl::host_name_verification(endpoint_.host), error);
    std::string name = endpoint_.host;
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             name.data());
    error = await([&](auto handler) {
      stream.async_handshake(ssl::stream_base::client, std::move(handler));
    });
    if (error) return failed(error);
    return exchange(stream);
  }

  [[nodiscard]] std::string place() const { return authority_of(endpoint_); }

  [[nodiscard]] std::unexpected<base::Error> failed(const ErrorCode& error) const {
    const bool is_late = error == beast::error::timeout;
    return base::fail(base::Errc::unavailable,
                      place() + ": " + (is_late ? "no answer in time" : error.message()));
  }

  const Endpoint& endpoint_;
  const Message& message_;
  std::chrono::milliseconds timeout_;
  asio::io_context io_;
  Parser parser_;
};

}  // namespace

base::Result<Endpoint> parse_endpoint(const std::string& url) {
  const auto bad = [&url] {
    return base::fail(base::Errc::invalid,
                      url + ": expected http://HOST[:PORT] or https://HOST[:PORT]");
  };
  Endpoint endpoint;
  std::string_view rest = url;
  endpoint.tls = rest.starts_with("https://");
  if (!endpoint.tls && !rest.starts_with("http://")) return bad();
  rest.remove_prefix(endpoint.tls ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const bool in_brackets = rest.starts_with('[');
  const auto end = in_brackets ? rest.find(']') : rest.find(':');
  if (in_brackets && end == std::string_view::npos) return bad();
  endpoint.host = rest.substr(in_brackets ? 1 : 0, in_brackets ? end - 1 : end);
  rest.remove_prefix(std::min(rest.size(), in_brackets ? end + 1 : end));
  endpoint.port = rest.starts_with(':') ? rest.substr(1) : kDefaultPort;
  const bool is_number = endpoint.port.find_first_not_of("0123456789") == std::string::npos;
  if (endpoint.host.empty() || endpoint.port.empty() || !is_number ||
      endpoint.host.find_first_of("/?#@ ") != std::string::npos ||
      (!rest.empty() && !rest.starts_with(':')))
    return bad();
  return endpoint;
}

base::Result<Response> send(const Endpoint& endpoint, const Request& request,
                            std::int64_t timeout_ms) {
  const Message message = message_of(endpoint, request);
  return Exchange(endpoint, message, timeout_ms).run();
}

}  // namespace helios::admin::http
