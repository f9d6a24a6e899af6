// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole proxy in the test's process: real workers and sockets, the real session, and a server that
// is a listening socket which the test plays by hand.

#include "kv/memory_store.hpp"
#include "net/proxy.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"
#include "unit/net/net_support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace helios::net {

// ---- messages, as both ends write them ----

std::string int32(std::int32_t value);
std::string message(char type, std::string_view body);
std::string startup_packet();
std::string query(std::string_view sql);
std::string cancel_request(std::int32_t process_id, std::string_view secret);

// Reads one message with a type byte; empty at the end of the connection.
std::string receive_message(int fd);

// True when the connection ends without another byte.
bool is_at_end(int fd);

// The server's end of one session.
struct FakeBackend {
  Fd fd;
  std::string startup;  // the packet that the client sent
};

class ProxyFixture : public OnEveryEngine {
 protected:
  ProxyFixture();
  ~ProxyFixture() override;

  // Starts the proxy. Before that, `server_` and `workers_` may be changed.
  void start_proxy(config::Config config = config::default_config());

  // A client connection on which nothing was sent yet.
  Fd connect_client();

  // A client and its server connection, both ready for queries. The server's key is (number, "key!").
  struct Session {
    Fd client;
    Fd server;
  };
  Session open_session(std::int32_t process_id);

  // Waits for the next connection to the server; none within `timeout_ms` is an empty Fd.
  Fd accept_server(int timeout_ms = 20'000);

  void drain(bool force);
  // Waits until every worker has ended.
  void wait_drained();

  // Sum of one counter over all workers.
  std::uint64_t total(metrics::Counter WorkerStats::* counter) const;
  // Waits until a condition on the workers' counters holds.
  template <typename Condition>
  [[nodiscard]] static bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  std::vector<Fd> inherited_;  // to listen on, instead of a port of its own
  Fd server_socket_;
  config::Server server_;
  std::size_t worker_count_ = 2;
  std::int64_t connect_timeout_ms_ = 5000;
  config::Limits limits_;                       // on connections
  const base::Clock* session_clock_ = &clock_;  // what sessions are told the time by
  base::FaultSink* faults_ = nullptr;           // of the workers
  void pass_ms(std::int64_t ms) { clock_.advance_ms(ms); }
  test::CaptureLog log_;
  std::unique_ptr<Proxy> proxy_;
  test::FakeClock clock_;

 private:
  session::Environment make_environment(std::size_t index);
  void run_control();
  // Runs `task` on the control thread and waits for it.
  void on_control(const std::function<void()>& task);

  ConnectionLimits connection_limits_{config::Limits{}};
  test::ManualExecutor slow_;
  kv::MemoryStore store_{kv::Limits{}, clock_};
  std::vector<std::unique_ptr<sql::Analyzer>> analyzers_;
  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<Engine> control_;
  std::atomic<bool> drained_ = false;
  std::atomic<bool> stop_ = false;
  std::thread control_thread_;
};

}  // namespace helios::net
