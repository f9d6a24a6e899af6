// SPDX-License-Identifier: Apache-2.0
#include "admin/http/server.hpp"

#include "admin/http/connection.hpp"
#include "admin/http/endpoints.hpp"
#include "base/text.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cassert>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include <pthread.h>

namespace helios::admin::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// When the process has no file descriptors left, accepting again at once would only burn CPU.
constexpr auto kAcceptRetryTime = std::chrono::milliseconds(500);

struct Listener {
  explicit Listener(asio::io_context& io) : acceptor(io), retry(io) {}

  tcp::acceptor acceptor;
  asio::steady_timer retry;
  bool is_paused = false;  // waits for a connection to end
};

class LoggedFaults final : public base::FaultSink {
 public:
  explicit LoggedFaults(base::Log& log) : log_(log) {}
  void report(base::FaultPlace, std::string_view what) noexcept override {
    try {
      log_.write(base::LogLevel::error,
                 "admin: internal fault: " + base::escape_for_log(what, 400));
    } catch (...) {
      // There may be no memory for a line.
    }
  }

 private:
  base::Log& log_;
};

bool is_missing_on_this_machine(ErrorCode error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available;
}

// Binds and listens.
ErrorCode open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  return error;
}

}  // namespace

class Server::Impl {
 public:
  Impl(base::Log& log, Limits limits, base::FaultSink* faults)
      : log_(log), quiet_log_(log), logged_faults_(log) {
    host_.faults = faults == nullptr ? &logged_faults_ : faults;
    host_.limits = limits;
    host_.quiet_log = &quiet_log_;
    host_.stats = &stats_;
    host_.mailbox = std::make_shared<Mailbox>(
        [this] { asio::post(io_, [this] { host_.mailbox->run_all(host_.faults); }); });
    host_.on_closed = [this](const auto& connection) { remove(connection); };
    host_.is_crowded = [this] { return connections_.size() >= host_.limits.max_connections; };
  }

  base::Result<void> start(const config::Admin& admin, std::shared_ptr<TlsContext> tls,
                           Handler handler);
  void replace(std::shared_ptr<TlsContext> tls, const Limits& limits);
  void stop();

  [[nodiscard]] const ServerStats& stats() const { return stats_; }
  [[nodiscard]] std::shared_ptr<base::Executor> executor() const { return host_.mailbox; }
  [[nodiscard]] const std::vector<config::Address>& addresses() const { return addresses_; }

 private:
  base::Result<void> listen_on(const config::Address& address, bool may_be_missing);
  void run();
  void await_client(Listener& listener);
  void accept(Listener& listener);
  void serve(tcp::socket socket, const tcp::endpoint& peer);
  void retry_later(Listener& listener, ErrorCode error);
  void remove(const std::shared_ptr<Connection>& connection);

  base::Log& log_;
  base::QuietLog quiet_log_;
  LoggedFaults logged_faults_;
  ServerStats stats_;
  std::shared_ptr<TlsContext> tls_;  // nullptr: plain
  ConnectionHost host_;
  asio::io_context io_{1};
  // While every connection waits for its handler, there may be nothing else to do.
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  PeerCounts peers_;
  std::vector<config::Address> addresses_;
  std::thread thread_;
};

base::Result<void> Server::Impl::start(const config::Admin& admin, std::shared_ptr<TlsContext> tls,
                                       Handler handler) {
  assert(listeners_.empty() && !thread_.joinable());
  if (const auto checked = config::check_admin(admin); !checked)
    return base::fail(checked.error().code, "admin: cannot listen on " + checked.error().message);
  tls_ = std::move(tls);
  host_.handler = std::move(handler);
  for (const config::Address& address : admin.addresses) {
    auto listening = listen_on(address, admin.is_default);
    if (!listening) {
      listeners_.clear();
      addresses_.clear();
      return listening;
    }
  }
  if (listeners_.empty())
    return base::fail(base::Errc::unavailable, "admin: no address to listen on");
  for (const auto& listener : listeners_) await_client(*listener);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return base::fail(base::Errc::unavailable, std::string("admin: no thread: ") + error.what());
  }
  return {};
}

base::Result<void> Server::Impl::listen_on(const config::Address& address, bool may_be_missing) {
  const auto fail = [&](base::Errc code, const std::string& reason) {
    return base::fail(code,
                      "admin: cannot listen on " + config::to_string(address) + ": " + reason);
  };
  ErrorCode error;
  const auto ip = asio::ip::make_address(address.host, error);
  if (error) return fail(base::Errc::invalid, "not an IP address");
  auto listener = std::make_unique<Listener>(io_);
  error = open_acceptor(listener->acceptor, tcp::endpoint(ip, address.port));
  if (error && may_be_missing && is_missing_on_this_machine(error)) {
    log_.write(base::LogLevel::info,
               "admin: skipping " + config::to_string(address) + ": " + error.message());
    return {};
  }
  if (error) return fail(base::Errc::unavailable, error.message());
  addresses_.push_back({address.host, listener->acceptor.local_endpoint(error).port()});
  log_.write(base::LogLevel::info, "admin: listening on " + config::to_string(addresses_.back()) +
                                       (tls_ ? " with TLS" : ""));
  listeners_.push_back(std::move(listener));
  return {};
}

void Server::Impl::run() {
  pthread_setname_np(pthread_self(), "admin");
  // Nothing below is expected to throw but for want of memory, which must not end the process.
  while (!io_.stopped()) {
    base::contain(host_.faults, base::FaultPlace::admin, [this] { io_.run(); });
  }
}

void Server::Impl::await_client(Listener& listener) {
  listener.acceptor.async_wait(tcp::acceptor::wait_read, [this, &listener](ErrorCode error) {
    if (!error) accept(listener);
  });
}

void Server::Impl::accept(Listener& listener) {
  if (host_.is_crowded()) {
    listener.is_paused = true;
    return;
  }
  ErrorCode error;
  tcp::socket socket(io_);
  tcp::endpoint peer;
  listener.acceptor.accept(socket, peer, error);
  if (!error) {
    serve(std::move(socket), peer);
  } else if (error != asio::error::would_block && error != asio::error::connection_aborted) {
    return retry_later(listener, error);
  }
  await_client(listener);
}

void Server::Impl::serve(tcp::socket socket, const tcp::endpoint& peer) {
  if (!peers_.add(peer.address(), host_.limits.max_peer_connections)) {
    stats_.peer_refusals.add();
    quiet_log_.warn(monotonic_ns(), "admin: too many connections from " + to_text(peer));
    return;  // closes it
  }
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto connection = std::make_shared<Connection>(std::move(socket), tls_, peer, host_);
  connections_.insert(connection);
  stats_.connections.add(1);
  connection->start();
}

void Server::Impl::replace(std::shared_ptr<TlsContext> tls, const Limits& limits) {
  tls_ = std::move(tls);
  host_.limits = limits;
}

void Server::Impl::retry_later(Listener& listener, ErrorCode error) {
  log_.write(base::LogLevel::warning, "admin: cannot accept a connection: " + error.message());
  listener.retry.expires_after(kAcceptRetryTime);
  listener.retry.async_wait([this, &listener](ErrorCode cancelled) {
    if (!cancelled) await_client(listener);
  });
}

void Server::Impl::remove(const std::shared_ptr<Connection>& connection) {
  if (connections_.erase(connection) != 0) {
    peers_.remove(connection->peer().address());
    stats_.connections.add(-1);
  }
  for (const auto& listener : listeners_) {
    if (std::exchange(listener->is_paused, false)) await_client(*listener);
  }
}

void Server::Impl::stop() {
  host_.mailbox->close();
  io_.stop();
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
  // Operations that will never end keep their connections alive, but not their sockets.
  for (const auto& connection : connections_) connection->cut();
  connections_.clear();
}

Server::Server(base::Log& log, Limits limits, base::FaultSink* faults)
    : impl_(std::make_unique<Impl>(log, limits, faults)) {}

Server::~Server() { stop(); }

std::shared_ptr<base::Executor> Server::executor() const { return impl_->executor(); }

base::Result<void> Server::start(const config::Admin& admin, std::shared_ptr<TlsContext> tls,
                                 Handler handler) {
  return impl_->start(admin, std::move(tls), std::move(handler));
}

void Server::replace(std::shared_ptr<TlsContext> tls, const Limits& limits) {
  impl_->replace(std::move(tls), limits);
}

const ServerStats& Server::stats() const { return impl_->stats(); }

const std::vector<config::Address>& Server::addresses() const { return impl_->addresses(); }

void Server::stop() { impl_->stop(); }

}  // namespace helios::admin::http
