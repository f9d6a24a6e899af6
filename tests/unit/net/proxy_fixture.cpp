// SPDX-License-Identifier: Apache-2.0

#include "unit/net/proxy_fixture.hpp"

#include "base/byte_writer.hpp"
#include "net/engine/sockets.hpp"
#include "pgwire/cancel_request.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include <poll.h>

namespace helios::net {

INSTANTIATE_TEST_SUITE_P(/* no prefix */, ProxyFixture, testing::ValuesIn(sized_engines_for_test()),
                         [](const auto& instance) { return name_of(instance.param); });

std::string int32(std::int32_t value) {
  std::string out;
  base::append_i32(out, value);
  return out;
}

std::string message(char type, std::string_view body) {
  return std::string(1, type) + int32(static_cast<std::int32_t>(body.size() + 4)) +
         std::string(body);
}

std::string startup_packet() {
  const std::string body = int32(196608) + std::string("user\0postgres\0\0", 15);
  return int32(static_cast<std::int32_t>(body.size() + 4)) + body;
}

std::string query(std::string_view sql) { return message('Q', std::string(sql) + '\0'); }

std::string cancel_request(std::int32_t process_id, std::string_view secret) {
  return pgwire::serialize_cancel_request({process_id, std::string(secret)});
}

std::string receive_message(int fd) {
  const auto header = receive_exactly(fd, 5);
  if (header.size() < 5) {
    return "";
  }
  const auto length = static_cast<std::size_t>(base::load_i32(header.data() + 1)) - 4;
  return header + receive_exactly(fd, length);
}

bool is_at_end(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, 0) <= 0;
}

ProxyFixture::ProxyFixture() : server_socket_(listen_on_loopback()) {
  server_.port = local_endpoint(server_socket_.get()).port();
  control_ = make_engine();
}

ProxyFixture::~ProxyFixture() {
  stop_ = true;
  control_->mailbox().post([] {});
  if (control_thread_.joinable()) {
    control_thread_.join();
  }
  // What the workers post to the control loop while they end is dropped with it.
  proxy_.reset();
}

session::Environment ProxyFixture::make_environment(std::size_t index) {
  analyzers_.push_back(std::make_unique<sql::Analyzer>(sql::Analyzer::Options{}));
  session::Environment environment;
  environment.slow = &slow_;
  environment.clock = session_clock_;
  environment.log = &log_;
  environment.analyzer = analyzers_.back().get();
  environment.store = &store_;
  environment.config = config_;
  environment.chain = std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
  environment.next_statement_id = 1 + index;
  environment.statement_id_step = worker_count_;
  return environment;
}

void ProxyFixture::start_proxy(config::Config config) {
  config.server = server_;
  connection_limits_.set_limits(limits_);
  config_ = std::make_shared<const config::Config>(config);
  auto target = server_target(server_);
  target.connect_timeout_ms = connect_timeout_ms_;
  std::vector<WorkerOptions> options;
  for (std::size_t i = 0; i < worker_count_; ++i) {
    WorkerOptions worker;
    worker.name = "worker";
    worker.engine = GetParam() == TestEngine::epoll ? EngineKind::epoll : EngineKind::io_uring;
    worker.connection_limits = &connection_limits_;
    worker.faults = faults_;
    worker.environment = make_environment(i);
    options.push_back(std::move(worker));
  }
  auto proxy = Proxy::create(std::move(options), std::move(target), *control_, log_);
  ASSERT_TRUE(proxy);
  proxy_ = *std::move(proxy);
  config::Listen listen;
  listen.addresses = {{"127.0.0.1", 0}};
  const auto listening =
      inherited_.empty() ? proxy_->listen(listen) : proxy_->inherit(std::move(inherited_));
  ASSERT_TRUE(listening) << listening.error().message;
  proxy_->start([this] { drained_ = true; });
  control_thread_ = std::thread([this] { run_control(); });
}

void ProxyFixture::run_control() {
  while (!stop_) {
    control_->run_once(60'000);
  }
}

void ProxyFixture::on_control(const std::function<void()>& task) {
  std::mutex mutex;
  std::condition_variable ran;
  bool is_done = false;
  control_->mailbox().post([&] {
    task();
    const std::lock_guard lock(mutex);
    is_done = true;
    ran.notify_one();
  });
  std::unique_lock lock(mutex);
  ran.wait(lock, [&] { return is_done; });
}

Fd ProxyFixture::connect_client() {
  return connect_blocking(*tcp_endpoint(proxy_->addresses().front()));
}

ProxyFixture::Session ProxyFixture::open_session(std::int32_t process_id) {
  Session session;
  session.client = connect_client();
  send_all(session.client.get(), startup_packet());
  session.server = accept_server();
  EXPECT_EQ(receive_exactly(session.server.get(), startup_packet().size()), startup_packet());
  send_all(session.server.get(),
           message('R', int32(0)) + message('K', int32(process_id) + "key!") + message('Z', "I"));
  EXPECT_EQ(receive_message(session.client.get()), message('R', int32(0)));
  EXPECT_EQ(receive_message(session.client.get()), message('K', int32(process_id) + "key!"));
  EXPECT_EQ(receive_message(session.client.get()), message('Z', "I"));
  return session;
}

Fd ProxyFixture::accept_server(int timeout_ms) {
  pollfd waiting{server_socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) != 1) {
    return {};
  }
  return Fd(::accept4(server_socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

void ProxyFixture::drain(bool force) {
  on_control([&] { proxy_->drain(force); });
}

void ProxyFixture::wait_drained() {
  EXPECT_TRUE(eventually([&] { return drained_.load(); }));
}

std::uint64_t ProxyFixture::total(metrics::Counter WorkerStats::* counter) const {
  std::uint64_t sum = 0;
  for (const auto& worker : proxy_->workers()) {
    sum += (worker->stats().*counter).value();
  }
  return sum;
}

}  // namespace helios::net
