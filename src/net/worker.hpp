// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thread, one event loop, and the sessions that were handed to it.
//
// Flow: 1 create(); 2 start(); 3 accept() and the rest from any thread; 4 drain(false), later perhaps
// drain(true); 5 join() returns once the last session has ended.
//
// A worker that was given its event loop has no thread: whoever made the loop calls run_round(), which is how a whole
// proxy runs on one thread and in virtual time.

#include "blocks/block_list.hpp"
#include "net/cancel_sender.hpp"
#include "net/client_driver.hpp"
#include "net/connection_limits.hpp"
#include "net/memory_budget.hpp"
#include "net/tls_contexts.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace helios::net {

struct WorkerOptions {
  std::string name;  // of the thread; at most 15 characters
  EngineKind engine = EngineKind::epoll;
  std::unique_ptr<Engine>
      loop;  // null: the worker makes one of the kind above, and gives it a thread
  TlsContexts tls;
  // The next four are filled in by the proxy.
  SharedTarget server;
  CancelRegistry* cancel_registry = nullptr;
  // This worker's part of it, and what all of them hold.
  MemoryBudget::Share* memory_share = nullptr;
  const MemoryBudget* memory_budget = nullptr;
  ConnectionLimits* connection_limits = nullptr;
  base::FaultSink* faults = nullptr;  // see Engine::report_faults_to()
  // `home`, `counters`, `timings` and `admission` are filled in by the worker; everything else must be there.
  session::Environment environment;
};

// Called once, with the number of sessions that were ended.
using OnBlocksSet = std::move_only_function<void(std::size_t ended)>;

// Thread rule: create, start, join, run_round (where there is no thread) and destruction by one thread; the rest by any.
// Lifetime: the cancel registry and what the environment points to outlive the worker.
class Worker final : public CancelSink {
 public:
  // Errors: unavailable, when the kernel refuses an event loop.
  [[nodiscard]] static base::Result<std::unique_ptr<Worker>> create(WorkerOptions options);

  // Requires: never started, or joined.
  ~Worker() override;

  // The thread inherits the caller's signal mask. `on_end` is called on it as its last act.
  void start(base::Task on_end);
  void join();  // returns at once where there is no thread

  // One round of the event loop, which waits at most `max_wait_ms`, as Engine::run_once() does; and what the round has
  // ended. False: the worker has ended, nothing was done but to call `on_end`, once. Requires: start() was called.
  bool run_round(std::int64_t max_wait_ms);

  // A client has connected; `os_user` where it came through a Unix socket.
  void accept(Fd connection, const Endpoint& peer, std::optional<session::OsUser> os_user);

  // New statements use `snapshot`, new sessions `server` and `client_tls`; those under way keep theirs, sessions keep what was decided when
  // they began (their server, their tenant). `done` is run on the worker's thread once that is so;
  // destroyed unrun when the worker ends first.
  void replace_snapshot(session::Snapshot snapshot, SharedTarget server,
                        tls::SharedServerContext client_tls, base::Task done);

  // Ends the worker: sessions end when they are idle, or at once when `force` is set; connections
  // that are accepted from now on are closed.
  void drain(bool force);

  // From now on these are blocked: logins are refused, and sessions that meet a block end, with what runs for them. Since
  // both happens on the worker's thread, nobody slips through in between. `done` is run there, with the number of sessions
  // that end; destroyed unrun when the worker ends first.
  void set_blocks(blocks::SharedBlockSet blocks, OnBlocksSet done);

  void cancel(SessionId session, base::Task done) override;

  // Tasks posted here run on the worker's thread.
  [[nodiscard]] base::Executor& mailbox() { return engine_->mailbox(); }
  [[nodiscard]] const WorkerStats& stats() const { return stats_; }

 private:
  Worker(WorkerOptions options, std::unique_ptr<Engine> engine, bool has_thread);

  [[nodiscard]] bool is_done() const;
  void open_session(Fd connection, const Endpoint& peer, std::optional<session::OsUser> os_user);
  void start_session(Fd connection, const Endpoint& peer, std::optional<session::OsUser> os_user,
                     bool is_over_limit);
  std::int64_t destroy_retired();
  void publish_memory();
  void publish_counters();

  std::string name_;
  ConnectionLimits& connection_limits_;
  MemoryBudget::Share& memory_share_;
  const MemoryBudget& memory_budget_;
  SharedTarget server_;
  WorkerStats stats_;
  session::Counters counters_;
  session::Environment environment_;
  std::unique_ptr<Engine> engine_;
  tls::Work tls_work_;
  CancelSender cancel_sender_;
  DriverContext context_;
  SessionId next_session_id_ = 1;
  std::unordered_map<SessionId, std::unique_ptr<ClientDriver>> drivers_;
  std::vector<SessionId> retired_;  // to be destroyed at the end of the round; has room for all
  bool draining_ = false;
  bool forced_ = false;
  base::Task on_end_;  // empty: it was called
  const bool has_thread_;
  std::thread thread_;
};

}  // namespace helios::net
