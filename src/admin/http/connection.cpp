// SPDX-License-Identifier: Apache-2.0
#include "admin/http/connection.hpp"

#include "admin/http/endpoints.hpp"
#include "admin/replies.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace helios::admin::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::size_t kReadBytes = 16 * 1024;
// A client that is still sending would lose the refusal if the socket were closed under it (the
// kernel answers unread data with a reset), so the rest is read for a while.
constexpr std::uint32_t kLingerMs = 2000;
constexpr std::uint64_t kMaxLingerBytes = 64ULL << 20;

// Hands the answer to the connection on its thread, and says so when none will ever come.
class Reply {
 public:
  Reply(std::weak_ptr<Connection> connection, std::shared_ptr<Mailbox> mailbox)
      : connection_(std::move(connection)), mailbox_(std::move(mailbox)) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (mailbox_) (*this)(error_reply(500, "internal error"));
  }

  void operator()(Response response) {
    const auto mailbox = std::exchange(mailbox_, nullptr);
    mailbox->post([connection = connection_, response = std::move(response)]() mutable {
      if (const auto alive = connection.lock()) alive->answer(std::move(response));
    });
  }

 private:
  std::weak_ptr<Connection> connection_;
  std::shared_ptr<Mailbox> mailbox_;  // null once answered or moved from
};

Method method_of(bhttp::verb verb) {
  if (verb == bhttp::verb::get) return Method::get;
  if (verb == bhttp::verb::head) return Method::head;
  if (verb == bhttp::verb::put) return Method::put;
  if (verb == bhttp::verb::post) return Method::post;
  if (verb == bhttp::verb::delete_) return Method::del;
  return Method::other;
}

template <typename Fields>
std::optional<std::string> header_of(const Fields& fields, bhttp::field name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  return std::string(found->value());
}

// A header that may be there several times: RFC 9110 section 5.3 joins them with commas.
std::optional<std::string> joined_header_of(const bhttp::request<bhttp::string_body>& message,
                                            std::string_view name) {
  const auto [begin, end] = message.equal_range(name);
  std::optional<std::string> joined;
  for (auto at = begin; at != end; ++at)
    joined = (joined ? *joined + ", " : std::string()) + std::string(at->value());
  return joined;
}

std::optional<std::string> authorization_of(const bhttp::request<bhttp::string_body>& message) {
  // Of several, which one counts is anybody's guess.
  if (message.count(bhttp::field::authorization) > 1) return "";
  return header_of(message, bhttp::field::authorization);
}

// All but the body. Requires: called before the body is read, since the parser puts the fields of a trailer
// among those of the header, and who sends a body must not say behind it who he is or what he wants.
Request convert_header(const bhttp::request<bhttp::string_body>& message) {
  Request request;
  request.authorization = authorization_of(message);
  request.method = method_of(message.method());
  request.target = std::string(message.target());
  request.accept = header_of(message, bhttp::field::accept).value_or("");
  request.host = header_of(message, bhttp::field::host);
  request.origin = header_of(message, bhttp::field::origin);
  const auto site = message.find("Sec-Fetch-Site");
  if (site != message.end()) request.sec_fetch_site = std::string(site->value());
  request.if_match = joined_header_of(message, "If-Match");
  request.if_none_match = joined_header_of(message, "If-None-Match");
  request.ttl_ms = joined_header_of(message, "Helios-TTL-Ms");
  request.force = joined_header_of(message, "Helios-Force");
  request.new_namespace = joined_header_of(message, "Helios-New-Namespace");
  return request;
}

// RFC 9112 section 3.2: exactly one, and HTTP/1.0 may do without.
bool has_valid_host(const bhttp::request<bhttp::string_body>& message) {
  const auto count = message.count(bhttp::field::host);
  return count == 1 || (count == 0 && message.version() == 10);
}

// Where the body ends must be said once, in a way that everybody reads alike (RFC 9112, section 6). The parser
// takes a coding that it does not know for no body at all. Nullopt: all is well.
std::optional<Response> refuse_framing(const bhttp::request<bhttp::string_body>& message) {
  if (message.count(bhttp::field::content_length) > 1 ||
      message[bhttp::field::content_length].find(',') != beast::string_view::npos)
    return error_reply(400, "exactly one Content-Length is allowed");
  const auto coding = joined_header_of(message, "Transfer-Encoding");
  if (!coding) return std::nullopt;
  if (message.version() == 10)
    return error_reply(400, "HTTP/1.0 has no Transfer-Encoding: send a Content-Length");
  if (message.count(bhttp::field::content_length) != 0)
    return error_reply(400, "either Content-Length or Transfer-Encoding, not both");
  if (beast::iequals(*coding, "chunked")) return std::nullopt;
  return error_reply(501, "the only Transfer-Encoding is chunked");
}

// What the client is told about a request that could not be read; nullopt: nothing, it is gone.
std::optional<Response> refusal_of(beast::error_code error, const Limits& limits) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow)
    return error_reply(
        431, "request headers exceed " + std::to_string(limits.max_header_bytes) + " bytes");
  if (error == bhttp::error::body_limit)
    return error_reply(413,
                       "request body exceeds " + std::to_string(limits.max_body_bytes) + " bytes");
  if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message)
    return std::nullopt;
  if (error.category() == make_error_code(bhttp::error::bad_method).category())
    return error_reply(400, "malformed HTTP request");
  return std::nullopt;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls,
                       asio::ip::tcp::endpoint peer, ConnectionHost& host)
    : host_(host),
      peer_(std::move(peer)),
      stream_(std::move(socket), std::move(tls)),
      buffer_(host.limits.max_header_bytes + kReadBytes) {}

void Connection::start() {
  if (stream_.is_encrypted()) return shake_hands();
  await_request();
}

void Connection::shake_hands() {
  expires_after(host_.limits.handshake_timeout_ms);
  stream_.async_handshake(
      [self = shared_from_this()](ErrorCode error) { self->run([&] { self->on_shaken(error); }); });
}

void Connection::on_shaken(ErrorCode error) {
  if (!error) return await_request();
  host_.stats->handshake_failures.add();
  host_.quiet_log->warn(monotonic_ns(), "admin: TLS handshake with " + to_text(peer_) +
                                            " failed: " + error.message());
  close();
}

void Connection::await_request() {
  parser_.emplace();
  parser_->header_limit(host_.limits.max_header_bytes);
  parser_->body_limit(host_.limits.max_body_bytes);
  if (buffer_.size() > 0)  // the next request was sent before this one was answered
    return read_header();
  // Who has not sent anything yet is not given the time of an old acquaintance.
  const auto idle_ms = host_.limits.idle_timeout_ms;
  expires_after(has_been_served_ ? idle_ms : std::min(idle_ms, host_.limits.request_timeout_ms));
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t count) {
                            if (error) return self->close();
                            self->buffer_.commit(count);
                            self->run([&] { self->read_header(); });
                          });
}

void Connection::read_header() {
  // One deadline for header and body: a trickle of bytes does not extend it.
  expires_after(host_.limits.request_timeout_ms);
  bhttp::async_read_header(stream_, buffer_, *parser_,
                           [self = shared_from_this()](ErrorCode error, std::size_t) {
                             self->run([&] { self->on_header(error); });
                           });
}

void Connection::on_header(ErrorCode error) {
  const auto& message = parser_->get();
  version_ = message.version();
  is_head_ = message.method() == bhttp::verb::head;
  if (error) return on_read_failed(error);
  if (!has_valid_host(message))
    return refuse(error_reply(400, "exactly one Host header is required"));
  if (auto refusal = refuse_framing(message)) return refuse(std::move(*refusal));
  keep_alive_ = message.keep_alive();
  request_ = convert_header(message);
  if (!parser_->is_done() && beast::iequals(message[bhttp::field::expect], "100-continue"))
    return write_continue();
  read_body();
}

void Connection::write_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      if (error) return self->close();
                      self->run([&] { self->read_body(); });
                    });
}

void Connection::read_body() {
  if (parser_->is_done()) return dispatch();
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      self->run([&] { error ? self->on_read_failed(error) : self->dispatch(); });
                    });
}

void Connection::dispatch() {
  stream_.tcp().expires_never();
  has_been_served_ = true;
  // Whatever becomes of it, a reply that goes unanswered says 500.
  base::contain(host_.faults, base::FaultPlace::admin, [this] {
    Reply reply(weak_from_this(), host_.mailbox);
    host_.handler(take_request(), std::move(reply));
  });
}

Request Connection::take_request() {
  Request request = std::exchange(request_, {});
  request.body = std::move(parser_->get().body());
  request.peer = to_text(peer_);
  request.is_encrypted = stream_.is_encrypted();
  return request;
}

void Connection::on_read_failed(ErrorCode error) {
  auto refusal = refusal_of(error, host_.limits);
  if (!refusal) return close();
  refuse(std::move(*refusal));
}

void Connection::refuse(Response response) {
  keep_alive_ = false;
  write(std::move(response));
}

void Connection::finish(Response response) {
  // When others wait for a place, nobody keeps one for later.
  keep_alive_ = keep_alive_ && !host_.is_crowded();
  write(std::move(response));
}

void Connection::write(Response response) {
  message_.emplace();
  message_->result(static_cast<unsigned>(response.status));
  message_->version(version_ == 10 ? 10 : 11);
  message_->set(bhttp::field::content_type, response.content_type);
  message_->set(bhttp::field::cache_control, "no-store");
  message_->set("X-Content-Type-Options", "nosniff");
  message_->set("Cross-Origin-Resource-Policy", "same-origin");
  for (const Header& header : response.headers) message_->set(header.name, header.value);
  message_->keep_alive(keep_alive_);
  message_->content_length(response.body.size());
  if (!is_head_) message_->body() = std::move(response.body);
  expires_after(host_.limits.response_timeout_ms);
  bhttp::async_write(stream_, *message_, [self = shared_from_this()](ErrorCode error, std::size_t) {
    self->run([&] { self->on_written(error); });
  });
}

void Connection::on_written(ErrorCode error) {
  message_.reset();
  if (error) return close();
  if (keep_alive_) return await_request();
  part();
}

// TLS has a goodbye of its own. A client that is still sending never gets to it, and one that just
// closes need not: either way the socket comes next.
void Connection::part() {
  if (!stream_.is_encrypted()) return linger();
  expires_after(kLingerMs);
  stream_.async_shutdown(
      [self = shared_from_this()](ErrorCode) { self->run([&] { self->linger(); }); });
}

void Connection::linger() {
  ErrorCode ignored;
  stream_.tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  expires_after(kLingerMs);
  buffer_.clear();
  discard_rest();
}

// Reads beneath TLS: what comes is not looked at any more.
void Connection::discard_rest() {
  stream_.tcp().async_read_some(buffer_.prepare(kReadBytes),
                                [self = shared_from_this()](ErrorCode error, std::size_t count) {
                                  self->discarded_bytes_ += count;
                                  if (error || self->discarded_bytes_ > kMaxLingerBytes)
                                    return self->close();
                                  self->run([&] { self->discard_rest(); });
                                });
}

void Connection::expires_after(std::uint32_t ms) {
  stream_.tcp().expires_after(std::chrono::milliseconds(ms));
}

void Connection::cut() {
  ErrorCode ignored;
  stream_.tcp().socket().close(ignored);
}

void Connection::close() {
  cut();
  host_.on_closed(shared_from_this());
}

}  // namespace helios::admin::http
