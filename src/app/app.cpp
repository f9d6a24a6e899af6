// SPDX-License-Identifier: Apache-2.0

#include "app/app.hpp"

#include "app/descriptor_limit.hpp"
#include "app/login_rules.hpp"
#include "app/metrics_sources.hpp"
#include "app/reload_report.hpp"
#include "app/start_id.hpp"
#include "app/store_settings.hpp"
#include "app/tls_files.hpp"
#include "base/text.hpp"
#include "config/restart_keys.hpp"

#include <optional>
#include <string>
#include <utility>

#include <signal.h>

namespace helios::app {
namespace {

constexpr std::int64_t kMaxWaitMs = 60'000;
constexpr std::int64_t kStoreIntervalMs = 1'000;
// No queue has more than one task running then: streams are read while plugins are compiled.
constexpr std::size_t kBackgroundThreads = 2;

}  // namespace

App::App(config::Config config, base::Log& log, Reconfiguration reconfiguration)
    : log_(log),
      reconfiguration_(std::move(reconfiguration)),
      in_force_{std::make_shared<const config::Config>(std::move(config)), nullptr},
      connection_limits_(in_force_.config->limits),
      identity_rule_use_(in_force_.config->identity),
      faults_(log_, clock_),
      refusals_(log_, clock_),
      state_(*in_force_.config, clock_, log_, faults_),
      slow_lane_(in_force_.config->plugins.slow_lane_threads, &faults_),
      background_(kBackgroundThreads, &faults_),
      reader_(background_.make_queue()),
      host_(in_force_.config->plugins, state_.store(), slow_lane_, clock_, log_,
            plugins::kInlineTicks, &faults_, in_force_.config->state, &state_.hmac_key()),
      write_judge_(host_, log_) {}

App::~App() { stop(); }

base::Result<void> App::check() {
  if (const auto chain = load_files(); !chain) return std::unexpected(chain.error());
  return {};
}

// What the configuration alone cannot tell to be wrong, all at once.
base::Result<std::shared_ptr<const hooks::Chain>> App::load_files() {
  std::string wrong;
  const auto note = [&wrong](const auto& result) {
    if (!result) wrong += (wrong.empty() ? "" : "\n") + result.error().message;
  };
  note(AdminService::load(in_force_.config->admin));
  auto tls = load_tls(*in_force_.config, log_);
  note(tls);
  auto login_rules = load_login_rules(*in_force_.config, state_.hmac_key());
  note(login_rules);
  if (login_rules) warn_of_idle_rules(*in_force_.config, login_rules->get(), log_);
  note(to_anchor_plans(in_force_.config->state));
  auto chain = host_.load();
  note(chain);
  if (!wrong.empty()) return base::fail(base::Errc::invalid, std::move(wrong));
  tls_ = *std::move(tls);
  in_force_.login_rules = *std::move(login_rules);
  return chain;
}

base::Result<void> App::start() {
  raise_descriptor_limit(in_force_.config->limits, log_);
  if (auto opened = state_.open(in_force_.config->state); !opened) return opened;
  auto chain = load_files();
  if (!chain) return std::unexpected(chain.error());
  if (auto chosen = choose_engine(); !chosen) {
    return chosen;
  }
  auto control = net::make_engine(engine_);
  if (!control) return base::fail(control.error().code, control.error().message);
  in_force_.chain = *std::move(chain);
  control_ = *std::move(control);
  control_->report_faults_to(faults_);
  start_events();
  auto begun = begin_serving();
  if (!begun) finish_events();  // nobody shall take it for a crash
  return begun;
}

base::Result<void> App::begin_serving() {
  blocks_ =
      std::make_unique<BlockKeeper>(state_.store(), control_->mailbox(), log_, state_.is_on_disk());
  blocks_->load();
  if (auto made = make_proxy(); !made) return made;
  register_metrics();
  log_addresses();
  if (auto started = start_admin(); !started) return started;
  signals_.start(
      [this](int signal) { control_->mailbox().post([this, signal] { on_signal(signal); }); });
  look_after_store_regularly();
  state_.start_anchors(in_force_.config->state);
  proxy_->start([this] { finished_ = true; });
  serving_ = true;
  log_.write(base::LogLevel::info, "ready");
  return {};
}

// Whoever listens has heard that the process runs before anybody is served.
void App::start_events() {
  events_ =
      std::make_unique<EventFeed>(host_, control_->mailbox(), log_, state_.hmac_key(),
                                  ProcessFacts{.process = to_word(new_start_id()),
                                               .configuration = in_force_.config->file_sha256});
  refusals_.pass_logins_to(events_.get());
  events_->start();
  while (!events_->is_idle()) control_->run_once(kMaxWaitMs);
}

// Everybody has left by now.
void App::finish_events() {
  events_->stop();
  while (!events_->is_idle()) control_->run_once(kMaxWaitMs);
}

base::Result<void> App::choose_engine() {
  const auto chosen = net::choose_engine(in_force_.config->listen.engine);
  if (!chosen) return base::fail(chosen.error().code, "listen.engine: " + chosen.error().message);
  if (!chosen->reason.empty()) {
    log_.write(base::LogLevel::info, "io_uring is not used: " + chosen->reason);
  }
  engine_ = chosen->kind;
  return {};
}

base::Result<void> App::make_proxy() {
  const auto count = net::worker_count(in_force_.config->listen);
  std::vector<net::WorkerOptions> options;
  for (std::size_t i = 0; i < count; ++i) {
    options.push_back(worker_options(i, count));
  }
  const auto& config = *in_force_.config;
  auto proxy = net::Proxy::create(std::move(options),
                                  net::server_target(config.server, config.tcp, tls_.server),
                                  *control_, log_);
  if (!proxy) return base::fail(proxy.error().code, proxy.error().message);
  proxy_ = *std::move(proxy);
  ReloadSteps steps;
  steps.load = [this] { return load_snapshot(); };
  steps.install = [this](const auto& loaded, base::Task done) { install(loaded, std::move(done)); };
  reloader_ =
      std::make_unique<Reloader>(std::move(steps), background_, control_->mailbox(), log_, faults_);
  blocks_->start(
      {.put_in_force = [this](const auto& blocks,
                              auto done) { proxy_->set_blocks(blocks, std::move(done)); },
       .call_after = [this](std::int64_t delay_ms,
                            auto task) { control_->start_timer(delay_ms, std::move(task)); },
       .on_blocked = [this](const auto& block, auto ended) { events_->blocked(block, ended); },
       .on_unblocked = [this](const auto& block,
                              auto cause) { events_->unblocked(block, cause); }});
  return proxy_->listen(in_force_.config->listen);
}

// In the background. A wrong configuration, or plugins that are not those that it demands, change nothing.
LoadedSnapshot App::load_snapshot() {
  const auto refuse = [this](const std::string& why) {
    std::vector<std::string> errors = base::split_lines(why);
    for (const auto& line : errors) {
      log_.write(base::LogLevel::error, "reload: " + line + "; nothing changed");
    }
    return LoadedSnapshot{in_force_, tls_, {.changes = {}, .errors = std::move(errors)}, true};
  };
  auto config = in_force_.config;
  auto tls = tls_;
  auto login_rules = in_force_.login_rules;
  std::optional<AdminService::Access> access;
  if (reconfiguration_.read) {
    auto read = reconfiguration_.read();
    if (!read) return refuse(read.error().message);
    for (const auto key : config::keep_restart_keys(*config, *read)) {
      log_.write(base::LogLevel::warning,
                 "reload: " + std::string(key) + " has changed: that takes a restart");
    }
    if (const auto plans = to_anchor_plans(read->state); !plans)
      return refuse(plans.error().message);
    // Tokens and certificates are read again as well: their files may have changed alone.
    auto renewed_tls = load_tls(*read, log_);
    if (!renewed_tls) return refuse(renewed_tls.error().message);
    tls = *std::move(renewed_tls);
    auto renewed_rules = load_login_rules(*read, state_.hmac_key());
    if (!renewed_rules) return refuse(renewed_rules.error().message);
    login_rules = *std::move(renewed_rules);
    warn_of_idle_rules(*read, login_rules.get(), log_);
    if (admin_) {
      auto renewed = AdminService::load(read->admin);
      if (!renewed) return refuse(renewed.error().message);
      access = *std::move(renewed);
    }
    config = std::make_shared<const config::Config>(*std::move(read));
  }
  auto loaded = host_.reload(config->plugins);
  auto report = to_report(loaded);
  if (loaded.is_refused) return {in_force_, tls_, std::move(report), true};
  if (access) admin_->replace(*std::move(access));
  return {{std::move(config), std::move(loaded.chain), std::move(login_rules)},
          std::move(tls),
          std::move(report),
          false};
}

void App::install(const LoadedSnapshot& loaded, base::Task done) {
  const session::Snapshot snapshot = loaded.snapshot;
  events_->reload(
      snapshot.config->file_sha256, loaded.is_refused, loaded.report,
      [this, snapshot, tls = loaded.tls, done = std::move(done)](base::Task tell_rest) mutable {
        put_in_force(snapshot, std::move(tls),
                     [done = std::move(done), tell_rest = std::move(tell_rest)]() mutable {
                       tell_rest();
                       done();
                     });
      });
}

void App::put_in_force(const session::Snapshot& snapshot, net::TlsContexts tls, base::Task done) {
  in_force_ = snapshot;
  tls_ = std::move(tls);
  state_.set(*snapshot.config);
  connection_limits_.set_limits(snapshot.config->limits);
  identity_rule_use_.set_rules(snapshot.config->identity);
  if (reconfiguration_.set_log_level) {
    reconfiguration_.set_log_level(snapshot.config->log.level);
  }
  proxy_->replace_snapshot(snapshot, tls_, std::move(done));
}

net::WorkerOptions App::worker_options(std::size_t index, std::size_t count) {
  analyzers_.push_back(std::make_unique<sql::Analyzer>(sql::Analyzer::Options{}));
  session::Environment environment;
  environment.slow = &slow_lane_;
  environment.clock = &clock_;
  environment.log = &log_;
  environment.analyzer = analyzers_.back().get();
  environment.store = &state_.store();
  environment.config = in_force_.config;
  environment.chain = in_force_.chain;
  environment.login_rules = in_force_.login_rules;
  environment.identity_rule_use = &identity_rule_use_;
  environment.refusals = &refusals_;
  environment.blocks = blocks_->snapshot();
  environment.next_statement_id = 1 + index;
  environment.statement_id_step = count;
  net::WorkerOptions options;
  options.name = "worker " + std::to_string(index);
  options.engine = engine_;
  options.tls = tls_;
  options.connection_limits = &connection_limits_;
  options.faults = &faults_;
  options.environment = std::move(environment);
  return options;
}

base::Result<void> App::start_admin() {
  if (in_force_.config->admin.addresses.empty()) return {};
  AdminControl::Process process{
      host_,
      identity_rule_use_,
      refusals_,
      *blocks_,
      state_.store(),
      registry_,
      control_->mailbox(),
      [this](admin::OnReloaded done) { reloader_->request(std::move(done)); },
      serving_,
      net::to_string(engine_),
      [this, folder = in_force_.config->state.backups](const std::string& name,
                                                       admin::OnBackedUp done) {
        back_up(folder, name, std::move(done));
      },
      state_.usage(),
      *reader_,
      write_judge_,
      *events_,
      *proxy_,
      clock_};
  auto access = AdminService::load(in_force_.config->admin);
  if (!access) return base::fail(access.error().code, access.error().message);
  admin_ = std::make_unique<AdminService>(std::move(process), state_.store(), log_, clock_,
                                          *std::move(access), faults_);
  registrations_.push_back(registry_.add_source(admin_->metrics_source()));
  return admin_->start(in_force_.config->admin);
}

void App::back_up(const std::string& folder, const std::string& name, admin::OnBackedUp done) {
  if (folder.empty())
    return done(base::fail(base::Errc::invalid, "state.backups names no folder for copies"));
  background_.post([this, path = folder + "/" + name, done = std::move(done)]() mutable {
    if (const auto made = state_.back_up(path); !made) return done(std::unexpected(made.error()));
    done(std::move(path));
  });
}

void App::register_metrics() {
  for (std::size_t i = 0; i < proxy_->workers().size(); ++i) {
    registrations_.push_back(
        registry_.add_source(worker_metrics(proxy_->workers()[i]->stats(), i)));
  }
  registrations_.push_back(registry_.add_source(proxy_metrics(*proxy_, clock_)));
  registrations_.push_back(registry_.add_source(login_metrics(connection_limits_)));
  registrations_.push_back(registry_.add_source(plugin_metrics(host_)));
  registrations_.push_back(registry_.add_source(identity_rule_use_.metrics_source()));
  registrations_.push_back(registry_.add_source(refusals_.metrics_source()));
  registrations_.push_back(registry_.add_source(blocks_->metrics_source()));
  for (auto& source : state_.metrics_sources())
    registrations_.push_back(registry_.add_source(std::move(source)));
  registrations_.push_back(registry_.add_source(process_metrics(slow_lane_)));
  registrations_.push_back(registry_.add_source(faults_.metrics_source()));
}

void App::log_addresses() {
  log_.write(base::LogLevel::info, "heliosproxy " HELIOS_VERSION ", " +
                                       std::to_string(proxy_->workers().size()) + " workers on " +
                                       std::string(net::to_string(engine_)));
  if (!state_.is_on_disk()) {
    log_.write(base::LogLevel::info,
               "plugin state is kept in memory only, and forgotten at the end: [state] directory "
               "is not set");
  }
  for (const auto& address : proxy_->addresses()) {
    log_.write(base::LogLevel::info, "listening on " + config::to_string(address));
  }
  if (const auto path = proxy_->unix_socket_path(); !path.empty()) {
    log_.write(base::LogLevel::info, "listening on " + path);
  }
}

void App::run() {
  while (!finished_) {
    control_->run_once(kMaxWaitMs);
  }
  finish_events();
  log_.write(base::LogLevel::info, "stopped");
}

void App::on_signal(int signal) {
  if (signal == SIGHUP) {
    if (serving_) {
      reloader_->request_soon();
    }
  } else if (++end_signals_ == 1) {
    drain();
  } else {
    cut();
  }
}

void App::drain() {
  serving_ = false;
  log_.write(base::LogLevel::info, "shutting down: sessions end when they are idle, within " +
                                       std::to_string(in_force_.config->shutdown.drain_timeout_ms) +
                                       " ms");
  proxy_->drain(false);
  control_->start_timer(in_force_.config->shutdown.drain_timeout_ms, [this] { cut(); });
}

void App::cut() {
  if (std::exchange(cutting_, true)) return;
  log_.write(base::LogLevel::warning, "shutting down: cutting the sessions that are left");
  proxy_->drain(true);
}

void App::look_after_store_regularly() {
  control_->start_timer(kStoreIntervalMs, [this] {
    look_after_store_regularly();  // first: whatever becomes of this round, there is a next one
    state_.look_after();
  });
}

// From the outside in: who asks, who works, what they work with.
void App::stop() {
  serving_ = false;
  signals_.stop();
  if (admin_) admin_->stop();
  registrations_.clear();
  background_.stop();
  if (proxy_) proxy_->stop();
  // Its threads may still be leaving the mailboxes of workers that have ended.
  slow_lane_.stop();
  proxy_.reset();
  state_.close();
  write_judge_.stop();
  if (events_) events_->forget();
}

}  // namespace helios::app
