// SPDX-License-Identifier: Apache-2.0

#include "app/app.hpp"

#include "app/descriptor_limit.hpp"
#include "app/login_rules.hpp"
#include "app/metrics_sources.hpp"
#include "app/start_id.hpp"
#include "app/store_settings.hpp"
#include "app/tls_files.hpp"
#include "base/text.hpp"

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

App::App(config::Config config, base::Log& log, Reconfiguration reconfiguration,
         ServiceEnvironment service)
    : log_(log),
      reconfiguration_(std::move(reconfiguration)),
      in_force_{std::make_shared<const config::Config>(std::move(config)), nullptr},
      connection_limits_(in_force_.config->limits),
      identity_rule_use_(in_force_.config->identity),
      service_(std::move(service), clock_, log_),
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
  service_.starting();
  raise_descriptor_limit(in_force_.config->limits, log_);
  if (auto opened = state_.open(in_force_.config->state); !opened) return opened;
  auto chain = load_files();
  if (!chain) return std::unexpected(chain.error());
  if (auto chosen = choose_engine(); !chosen) {
    return chosen;
  }
  // With io_uring, the end of accepting shuts a socket down for everybody: one that was passed belongs to somebody else.
  auto control = net::make_engine(service_.passes_sockets() ? net::EngineKind::epoll : engine_);
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
  service_.ready("serving on " + addresses_in_words());
  service_.keep_alive([this](std::int64_t delay_ms, base::Task task) {
    control_->start_timer(delay_ms, std::move(task));
  });
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
  steps.on_begin = [this] { service_.reloading(); };
  steps.on_end = [this](const auto& outcome) { service_.reloaded(outcome); };
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
  auto passed = service_.take_sockets();
  if (!passed) return std::unexpected(passed.error());
  return proxy_->listen(in_force_.config->listen, *std::move(passed));
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

std::string App::addresses_in_words() const {
  std::string words;
  for (const auto& address : proxy_->addresses()) {
    words += (words.empty() ? "" : ", ") + config::to_string(address);
  }
  const auto path = proxy_->unix_socket_path();
  return path.empty() ? words : words + (words.empty() ? "" : ", ") + path;
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
  const auto what = "shutting down: sessions end when they are idle, within " +
                    std::to_string(in_force_.config->shutdown.drain_timeout_ms) + " ms";
  log_.write(base::LogLevel::info, what);
  service_.stopping(what);
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
