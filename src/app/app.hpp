// SPDX-License-Identifier: Apache-2.0
#pragma once

// The composition root: the only place where concrete parts meet. Builds everything from a Config and
// sees it through its life.
//
// Threads: the one that calls run() is the control thread: it accepts connections, takes signals and
// keeps the timers of the process. Beside it: the workers, the slow lane, two background threads
// that load plugins and read streams, the admin server, the signal watcher.
//
// Flow: 1 construct, before any other thread exists; 2 start(): every error shows here, before anybody
// is served; 3 run() returns when the process shall end.
//   SIGTERM, SIGINT   drain: nobody new, sessions end when idle, or after drain_timeout_ms; a second
//                     one ends them at once
//   SIGHUP            read the configuration and load the plugin folder again

#include "app/admin_service.hpp"
#include "app/block_keeper.hpp"
#include "app/event_feed.hpp"
#include "app/identity_rule_use.hpp"
#include "app/internal_faults.hpp"
#include "app/plugin_state.hpp"
#include "app/refusal_log.hpp"
#include "app/reloader.hpp"
#include "app/service_manager.hpp"
#include "app/signals.hpp"
#include "app/system_clock.hpp"
#include "config/config.hpp"
#include "exec/slow_lane.hpp"
#include "metrics/registry.hpp"
#include "net/proxy.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/write_judge.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace helios::app {

// What a reload asks for. Without them it is about the plugin folder only.
struct Reconfiguration {
  // The configuration as it is now, flags included; called in the background.
  std::function<base::Result<config::Config>()> read;
  std::function<void(config::LogLevel)> set_log_level;
};

// Thread rule: one thread.
class App {
 public:
  // `log` outlives the app.
  // `service` is what the service manager has said, which start() and what follows answer.
  App(config::Config config, base::Log& log, Reconfiguration reconfiguration = {},
      ServiceEnvironment service = {});
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Loads plugins, certificates and the secrets of the admin interface as start() does, and nothing else: what `--check` is.
  // Errors: a line for each thing that is wrong.
  [[nodiscard]] base::Result<void> check();

  // Loads the plugins, binds every address and begins to serve. Errors: a line for each thing that is wrong with
  // configuration and plugins, or about the first that the machine refuses; nobody has been served then.
  [[nodiscard]] base::Result<void> start();

  // Requires: start() succeeded.
  void run();

  // Where clients connect, with the ports that the kernel chose. Valid after start().
  [[nodiscard]] const std::vector<config::Address>& addresses() const {
    return proxy_->addresses();
  }

 private:
  [[nodiscard]] base::Result<std::shared_ptr<const hooks::Chain>> load_files();
  [[nodiscard]] base::Result<void> choose_engine();
  [[nodiscard]] base::Result<void> make_proxy();
  [[nodiscard]] net::WorkerOptions worker_options(std::size_t index, std::size_t count);
  [[nodiscard]] base::Result<void> start_admin();
  void back_up(const std::string& folder, const std::string& name, admin::OnBackedUp done);
  void register_metrics();
  void log_addresses();
  [[nodiscard]] std::string addresses_in_words() const;
  void on_signal(int signal);
  [[nodiscard]] LoadedSnapshot load_snapshot();
  void install(const LoadedSnapshot& loaded, base::Task done);
  void put_in_force(const session::Snapshot& snapshot, net::TlsContexts tls, base::Task done);
  void start_events();
  [[nodiscard]] base::Result<void> begin_serving();
  void finish_events();
  void drain();
  void cut();
  void look_after_store_regularly();
  void stop();

  // Declared in the order in which they are needed: each may use those above it.
  SignalWatcher signals_;
  base::Log& log_;
  const Reconfiguration reconfiguration_;
  // What new statements are judged by. Replaced on the control thread while no reload is loading.
  session::Snapshot in_force_;
  net::TlsContexts tls_;  // likewise, for new connections
  net::ConnectionLimits connection_limits_;
  IdentityRuleUse identity_rule_use_;
  SystemClock clock_;
  ServiceManager service_;
  InternalFaults faults_;
  RefusalLog refusals_;
  PluginState state_;
  exec::SlowLane slow_lane_;
  exec::SlowLane background_;  // loads plugins, makes backups: one task at a time
  std::unique_ptr<exec::SlowLane::Queue>
      reader_;  // of background_, which keeps a thread free for it
  plugins::PluginHost host_;
  plugins::WriteJudge write_judge_;                        // on the admin thread
  std::vector<std::unique_ptr<sql::Analyzer>> analyzers_;  // one per worker
  net::EngineKind engine_ = net::EngineKind::epoll;
  std::unique_ptr<net::Engine> control_;
  std::unique_ptr<EventFeed> events_;
  std::unique_ptr<BlockKeeper> blocks_;
  std::unique_ptr<net::Proxy> proxy_;
  std::unique_ptr<Reloader> reloader_;
  metrics::Registry registry_;
  std::vector<metrics::Registration> registrations_;
  std::atomic<bool> serving_ = false;
  std::unique_ptr<AdminService> admin_;
  int end_signals_ = 0;
  bool cutting_ = false;
  bool finished_ = false;
};

}  // namespace helios::app
