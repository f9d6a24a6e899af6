// SPDX-License-Identifier: Apache-2.0

#include "net/server_connector.hpp"

#include "net/engine/sockets.hpp"
#include "pgwire/startup_packet.hpp"

#include <utility>

#include <sys/socket.h>

namespace helios::net {
namespace {

constexpr const char* kHungUp = "the server closed the connection when it was asked for TLS";

}  // namespace

ServerConnector::ServerConnector(Engine& engine, tls::Work& work, SharedTarget target,
                                 SharedEndpoints only, ServerHandler& handler)
    : engine_(engine), work_(work), target_(std::move(target)), handler_(handler) {
  DialHandler& dial_handler = *this;
  dialer_ = std::make_unique<Dialer>(engine_, target_, std::move(only), dial_handler);
}

ServerConnector::~ServerConnector() { close(); }

void ServerConnector::close() {
  engine_.cancel_timer(std::exchange(time_limit_, {}));
  dialer_.reset();
  stream_.reset();
}

// What fails here hurts the one whose connection it was to be.
template <typename Step>
void ServerConnector::contain(Step step) {
  try {
    step();
  } catch (...) {
    close();
    handler_.on_connect_fault(std::current_exception());
  }
}

void ServerConnector::on_dialled(Fd connection, SharedEndpoint to) {
  contain([&] {
    endpoint_ = std::move(to);
    dialer_.reset();
    set_session_options(connection, *endpoint_, target_->tcp);
    StreamHandler& stream_handler = *this;
    stream_ = engine_.adopt(std::move(connection), stream_handler, LossReport::after_received);
    if (target_->tls == nullptr || endpoint_->family() == AF_UNIX) return finish(nullptr);
    agree_on_tls();
  });
}

void ServerConnector::on_dial_failed(const std::string& reason) {
  handler_.on_server_refused(reason);
}

// The time for dialling is given once more: the server may be busy.
void ServerConnector::agree_on_tls() {
  time_limit_ = engine_.start_timer(target_->connect_timeout_ms,
                                    [this] { refuse("timed out on the way to TLS"); });
  if (target_->is_tls_direct) return encrypt();
  const std::string request = pgwire::ssl_request();
  const std::string_view piece = request;
  stream_->send({&piece, 1});
}

void ServerConnector::on_received(std::string_view bytes) {
  contain([&] {
    if (bytes.size() != 1)
      return refuse("the server sent more than its answer when it was asked for TLS");
    if (bytes == "S") return encrypt();
    if (bytes == "N" && target_->may_be_in_clear) return finish(nullptr);
    refuse(bytes == "N" ? "the server has no TLS, which [server] sslmode asks for"
                        : "the server said neither yes nor no when it was asked for TLS");
  });
}

void ServerConnector::encrypt() {
  StreamHandler& stream_handler = *this;
  TlsHandler& tls_handler = *this;
  TlsStream::Options options{.opening = target_->tls->open(target_->host),
                             .requires_protocol = target_->is_tls_direct};
  stream_ = TlsStream::make(engine_, work_, std::move(options), std::move(stream_), stream_handler,
                            tls_handler, LossReport::after_received);
}

void ServerConnector::on_encrypted(const tls::Facts& facts) { finish(&facts); }

// The end of the stream follows. Behind finish() it is no longer ours, and whoever has it hears of that end.
void ServerConnector::on_tls_failed(const std::string& reason) { tls_failure_ = reason; }

void ServerConnector::on_eof() { refuse(kHungUp); }

void ServerConnector::on_lost(int) {
  refuse(tls_failure_.empty() ? kHungUp : "TLS with the server failed: " + tls_failure_);
}

void ServerConnector::finish(const tls::Facts* facts) {
  engine_.cancel_timer(std::exchange(time_limit_, {}));
  handler_.on_server_reached(std::move(stream_), std::move(endpoint_), facts);
}

void ServerConnector::refuse(const std::string& reason) {
  close();
  handler_.on_server_refused(reason);
}

}  // namespace helios::net
