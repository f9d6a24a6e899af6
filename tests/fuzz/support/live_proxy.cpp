// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/live_proxy.hpp"

#include "fuzz/support/fuzz.hpp"
#include "net/engine/sockets.hpp"
#include "unit/net/net_support.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

namespace helios::fuzz {
namespace {

constexpr int kWaitMs = 60'000;
constexpr timeval kReceiveTimeout{.tv_sec = 60, .tv_usec = 0};

void limit_waits(int fd) {
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout, sizeof(kReceiveTimeout));
}

void send_some(int fd, std::string_view bytes) {
  if (fd >= 0) ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Reads until the other side has ended, in order or not.
void await_end(int fd) {
  std::array<char, 4096> ignored;
  while (true) {
    const ssize_t received = ::recv(fd, ignored.data(), ignored.size(), 0);
    if (received > 0) continue;
    require(received == 0 || errno != EAGAIN, "the other end of a session ends in time");
    return;
  }
}

// A cancel for the quiet session is sent by a connection of its own, which may come at any time.
bool is_cancel_request(int fd) {
  constexpr std::string_view kCode = "\x04\xd2\x16\x2e";
  std::array<char, 8> head{};
  const ssize_t received = ::recv(fd, head.data(), head.size(), MSG_PEEK | MSG_WAITALL);
  return received == head.size() && std::string_view(head.data() + 4, 4) == kCode;
}

}  // namespace

void WildSession::client_sends(std::string_view bytes) const { send_some(client.get(), bytes); }
void WildSession::server_sends(std::string_view bytes) const { send_some(server.get(), bytes); }

LiveProxy::LiveProxy() : server_socket_(net::listen_on_loopback()) {
  keep_alarms_out();
  start_proxy();
  open_quiet_session();
}

session::Environment LiveProxy::environment() {
  session::Environment environment;
  environment.slow = &slow_;
  environment.clock = &clock_;
  environment.log = &log_;
  environment.analyzer = &analyzer_;
  environment.store = &store_;
  environment.config = config_;
  environment.chain =
      std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{plugin_.plugin()});
  return environment;
}

void LiveProxy::start_proxy() {
  config::Config config = config::default_config();
  config.server.port = net::local_endpoint(server_socket_.get()).port();
  config_ = std::make_shared<const config::Config>(config);
  control_ = net::make_engine_for_test();
  net::WorkerOptions worker;
  worker.name = "worker";
  worker.connection_limits = &connection_limits_;
  worker.environment = environment();
  std::vector<net::WorkerOptions> workers;
  workers.push_back(std::move(worker));
  auto proxy =
      net::Proxy::create(std::move(workers), net::server_target(config.server), *control_, log_);
  require(proxy.has_value(), "a proxy");
  proxy_ = *std::move(proxy);
  config::Listen listen;
  listen.addresses = {{"127.0.0.1", 0}};
  require(proxy_->listen(listen).has_value(), "a port to listen on");
  proxy_->start([] {});
  control_thread_ = std::thread([this] {
    while (true) control_->run_once(kWaitMs);
  });
}

void LiveProxy::open_quiet_session() {
  quiet_ = connect();
  net::send_all(quiet_.client.get(), session::test::startup_packet({{"user", "quiet"}}));
  require(await_server(quiet_), "a server for the quiet client");
  const std::string greeting = session::test::server_greeting();
  net::send_all(quiet_.server.get(), greeting);
  require_equal(net::receive_exactly(quiet_.client.get(), greeting.size()), greeting,
                "the greeting of the quiet client");
  // What its server was sent first.
  std::array<char, 4096> startup;
  require(::recv(quiet_.server.get(), startup.data(), startup.size(), 0) > 0, "a startup packet");
}

net::Fd LiveProxy::accept_server(int wait_ms) const {
  pollfd waiting{server_socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, wait_ms) != 1) return {};
  return net::Fd(::accept4(server_socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

WildSession LiveProxy::connect() {
  WildSession session{
      .client = net::connect_blocking(*net::tcp_endpoint(proxy_->addresses().front())),
      .server = {}};
  limit_waits(session.client.get());
  return session;
}

bool LiveProxy::await_server(WildSession& session) {
  do {
    std::array<pollfd, 2> waiting{
        {{server_socket_.get(), POLLIN, 0}, {session.client.get(), POLLRDHUP, 0}}};
    require(::poll(waiting.data(), waiting.size(), kWaitMs) > 0, "the proxy dials, or ends");
    if ((waiting[0].revents & POLLIN) == 0) return false;
    session.server = accept_server(kWaitMs);
    limit_waits(session.server.get());
  } while (is_cancel_request(session.server.get()));
  return session.server.get() >= 0;
}

void LiveProxy::end(WildSession session, End end) {
  // A client that has left before may have asked for something that its server still owes.
  const bool is_whole = session.server.get() >= 0 && session.client.get() >= 0;
  switch (end) {
    case End::server_closes:
      session.server = {};
      if (is_whole) await_end(session.client.get());
      break;
    case End::client_resets:
      net::reset_connection(std::move(session.client));
      if (is_whole) await_end(session.server.get());
      break;
    case End::client_closes: break;  // both at once, below
  }
  session = {};
  const auto end_of_patience =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kWaitMs);
  while (live_sessions() != 1) {
    require(std::chrono::steady_clock::now() < end_of_patience,
            "a session whose ends are gone is over");
    // A client that was gone before its server was dialled: the connection comes all the same.
    (void)accept_server(0);
    std::this_thread::yield();
  }
  while (accept_server(0)) {
  }
}

std::uint64_t LiveProxy::live_sessions() const {
  const net::WorkerStats& stats = proxy_->workers().front()->stats();
  return stats.sessions_opened.value() - stats.sessions_closed.value();
}

void LiveProxy::ping() {
  const std::string question =
      session::test::query("select 'ping " + std::to_string(++pings_) + "'");
  const std::string answer = session::test::complete("SELECT 1") + session::test::ready('I');
  net::send_all(quiet_.client.get(), question);
  receive(quiet_.server.get(), question, "the question of the quiet client");
  net::send_all(quiet_.server.get(), answer);
  receive(quiet_.client.get(), answer, "the answer to the quiet client");
}

void LiveProxy::receive(int fd, std::string_view expected, std::string_view what) const {
  errno = 0;
  const std::string received = net::receive_exactly(fd, expected.size());
  if (received == expected) return;
  std::string report(what);
  report += ": " + std::string(errno == 0 ? "the connection ended" : std::strerror(errno));
  for (const auto& line : log_.lines()) report += "\n  log: " + line.text;
  require_equal(received, expected, report);
}

void LiveProxy::require_clean() {
  plugin_.require_settled();
  plugin_.forget();
  log_.clear();
}

}  // namespace helios::fuzz
