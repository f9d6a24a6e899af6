// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that serves clients: the listening sockets, and the workers among which connections are
// dealt in turn.
//
// Flow: 1 create(): makes the workers; 2 listen(): binds, or inherit(): takes what somebody else has bound; so that every
// error shows before anybody is served; 3 start(): the workers' threads, and accepting; 4 drain(false), later perhaps drain(true);
// 5 on_drained is called. A Unix socket's files go with the proxy, or when it drains.
//
// Thread rule: everything happens on the thread of the `control` loop, which accepts as well.

#include "metrics/counter.hpp"
#include "net/memory_budget.hpp"
#include "net/os_user.hpp"
#include "net/passed_sockets.hpp"
#include "net/unix_listener.hpp"
#include "net/worker.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace helios::net {

// How many workers it asks for: at least one, and at most 64. Zero stands for the number of processors.
[[nodiscard]] std::size_t worker_count(const config::Listen& listen);

class Proxy final : private AcceptHandler {
 public:
  // One worker for each element of `workers`, which all dial `server`, until a reload.
  // Errors: unavailable, when the kernel refuses. Lifetime: `control` and `log` outlive the proxy.
  [[nodiscard]] static base::Result<std::unique_ptr<Proxy>> create(
      std::vector<WorkerOptions> workers, ServerTarget server, Engine& control, base::Log& log);

  ~Proxy() override;  // stop()

  // Binds all addresses, but for those that one of `passed` listens on. A default one that the machine lacks is skipped,
  // with a log line. The name and the lock of a passed Unix socket are left to whoever bound it.
  // Errors: as open_listener(), with config::Listen::origin in front; not_found also when every
  // default was skipped; invalid, when one of `passed` is on no address of `listen`.
  [[nodiscard]] base::Result<void> listen(const config::Listen& listen, PassedSockets passed = {});

  // Listens on sockets that are bound and listen already, which a process before this one has left, say. Instead of
  // listen(), or beside it. Connections that wait in them are served; options that they have stay. The files beside a Unix
  // socket, its name and its lock, belong to whoever bound it: they are not removed here. With io_uring, drain() shuts the
  // sockets down for every process that has them.
  // Errors: invalid, when one of them is no listening TCP or Unix socket; none of them is taken then, all are closed.
  [[nodiscard]] base::Result<void> inherit(std::vector<Fd> listening);

  // Where it listens by TCP, with the ports that the kernel chose.
  [[nodiscard]] const std::vector<config::Address>& addresses() const { return addresses_; }
  // The path of the Unix socket, the first one of several; empty = none.
  [[nodiscard]] const std::string& unix_socket_path() const { return unix_socket_path_; }

  // The threads inherit the signal mask. `on_drained` is called once, after drain(), when every
  // worker has ended.
  void start(std::function<void()> on_drained);

  // `done` runs on the control thread once every worker uses `snapshot` for new statements; it is
  // destroyed unrun when a worker ends first. See Worker::replace_snapshot().
  void replace_snapshot(const session::Snapshot& snapshot, const TlsContexts& tls, base::Task done);

  // `done` runs on the control thread once every worker knows these blocks and has ended the sessions that meet one, with
  // the number of those; it is destroyed unrun when a worker ends first. See Worker::set_blocks().
  void set_blocks(const blocks::SharedBlockSet& blocks, OnBlocksSet done);

  // Stops accepting and drains the workers: see Worker::drain().
  void drain(bool force);

  // Cuts every session and waits for the workers' threads. Their mailboxes can be posted to, without
  // effect, as long as the proxy exists. Harmless when called again.
  void stop();

  // How often accepting rested for lack of descriptors or memory. Any thread.
  [[nodiscard]] const metrics::Counter& accept_pauses() const { return accept_pauses_; }
  // Whether the server that sessions are connected to from now on can be reached. Any thread.
  [[nodiscard]] std::shared_ptr<const ServerHealth> server_health() const;
  // What sessions hold. Any thread.
  [[nodiscard]] const MemoryBudget& memory() const { return memory_; }

  // For their statistics, which any thread may read.
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }

 private:
  Proxy(Engine& control, base::Log& log) : control_(control), log_(log) {}

  SharedTarget renew_target(const config::Config& config, tls::SharedClientContext tls);
  base::Result<void> listen_on(const config::Listen& listen, const config::Address& address,
                               PassedSockets& passed);
  base::Result<void> listen_on_unix_socket(const config::Listen& listen, PassedSockets& passed);
  void note_unix_socket(const std::string& path);
  void on_accepted(Fd connection, const Endpoint& peer) override;
  void on_accept_paused(int error) override;
  void on_worker_ended();

  Engine& control_;
  base::Log& log_;
  CancelRegistry cancel_registry_;
  MemoryBudget memory_;
  mutable std::mutex server_mutex_;  // the pointer, which a reload replaces
  SharedTarget server_;              // of those who dial from now on; never null
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Fd> bound_;  // from listen() to start()
  std::vector<config::Address> addresses_;
  std::optional<UnixListener> unix_listener_;
  std::string unix_socket_path_;
  std::vector<OperationPtr> accepting_;
  OsUserNames os_user_names_;
  metrics::Counter accept_pauses_;
  std::size_t next_worker_ = 0;
  std::size_t running_ = 0;  // workers that have not ended
  bool started_ = false;
  std::chrono::steady_clock::time_point pause_warning_due_;
  std::function<void()> on_drained_;
};

}  // namespace helios::net
