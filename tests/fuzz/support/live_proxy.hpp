// SPDX-License-Identifier: Apache-2.0
#pragma once

// A proxy with real sockets and one worker, its server played by hand, and two kinds of clients: a
// quiet one whose conversation must never be disturbed, and those that do anything.

#include "fuzz/support/recording_plugin.hpp"
#include "kv/memory_store.hpp"
#include "net/proxy.hpp"
#include "sql/analyzer.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace helios::fuzz {

// The two ends of a session that does anything. Sends never wait: what finds no room is lost, as are
// bytes to an end that is gone.
struct WildSession {
  net::Fd client;
  net::Fd server;  // empty until the proxy has dialled

  void client_sends(std::string_view bytes) const;
  void server_sends(std::string_view bytes) const;
};

// Thread rule: one thread. Every wait has a limit after which the process aborts.
class LiveProxy {
 public:
  LiveProxy();
  ~LiveProxy() = delete;  // its threads run until the process ends

  // A client that has said nothing yet.
  WildSession connect();
  // Waits until the proxy has dialled for this session, or has ended it; false then.
  bool await_server(WildSession& session);
  // Both ends are over: the client's by a reset or an orderly end, or the server's first. Whatever is
  // left of the session must go away by itself.
  enum class End { client_resets, client_closes, server_closes };
  void end(WildSession session, End end);

  // The quiet client asks, its server answers; both must see exactly that.
  void ping();

  // Requires: no wild session is there.
  void require_clean();

 private:
  [[nodiscard]] session::Environment environment();
  void start_proxy();
  void open_quiet_session();
  void receive(int fd, std::string_view expected, std::string_view what) const;
  [[nodiscard]] net::Fd accept_server(int wait_ms) const;
  [[nodiscard]] std::uint64_t live_sessions() const;

  RecordingPlugin plugin_{hooks::OnError::deny};
  test::FakeClock clock_;
  test::CaptureLog log_;
  test::ManualExecutor slow_;
  kv::MemoryStore store_{kv::Limits{}, clock_};
  sql::Analyzer analyzer_{sql::Analyzer::Options{}};
  std::shared_ptr<const config::Config> config_;
  net::ConnectionLimits connection_limits_{config::Limits{}};
  net::Fd server_socket_;
  std::unique_ptr<net::Engine> control_;
  std::unique_ptr<net::Proxy> proxy_;
  std::thread control_thread_;
  WildSession quiet_;
  std::uint64_t pings_ = 0;
};

}  // namespace helios::fuzz
