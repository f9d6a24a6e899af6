// SPDX-License-Identifier: Apache-2.0

#include "app/app.hpp"

#include "app/metrics_sources.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/resource.h>

namespace helios::app {
namespace {

constexpr std::int64_t kMaxWaitMs = 60'000;
constexpr std::int64_t kExpiryIntervalMs = 1'000;
constexpr std::size_t kMaxWorkers = 64;

kv::Limits to_limits(const config::Kv& config) {
  kv::Limits limits;
  limits.max_key_bytes = config.max_key_bytes;
  limits.max_value_bytes = config.max_value_bytes;
  limits.max_keys_per_namespace = config.max_keys_per_namespace;
  limits.max_bytes_per_namespace = config.max_bytes_per_namespace;
  limits.max_total_bytes = config.max_total_bytes;
  return limits;
}

std::size_t worker_count(const config::Listen& listen) {
  const std::size_t wanted =
      listen.workers != 0 ? listen.workers : std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(wanted, 1, kMaxWorkers);
}

// Every session takes two descriptors; the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

App::App(config::Config config, base::Log& log)
    : log_(log),
      config_(std::make_shared<const config::Config>(std::move(config))),
      store_(to_limits(config_->kv), clock_),
      slow_lane_(config_->plugins.slow_lane_threads),
      background_(1),
      host_(config_->plugins, store_, slow_lane_, clock_, log_) {}

App::~App() { stop(); }

base::Result<void> App::check() {
  if (const auto chain = host_.load(); !chain) {
    return base::fail(chain.error().code, chain.error().message);
  }
  return {};
}

base::Result<void> App::start() {
  raise_descriptor_limit();
  auto chain = host_.load();
  if (!chain) {
    return base::fail(chain.error().code, chain.error().message);
  }
  auto control = net::make_epoll_engine();
  if (!control) {
    return base::fail(control.error().code, control.error().message);
  }
  control_ = *std::move(control);
  if (auto made = make_proxy(*std::move(chain)); !made) {
    return made;
  }
  register_metrics();
  log_addresses();
  if (auto started = start_admin(); !started) {
    return started;
  }
  signals_.start(
      [this](int signal) { control_->mailbox().post([this, signal] { on_signal(signal); }); });
  remove_expired_regularly();
  proxy_->start([this] { finished_ = true; });
  serving_ = true;
  log_.write(base::LogLevel::info, "ready");
  return {};
}

base::Result<void> App::make_proxy(std::shared_ptr<const hooks::Chain> chain) {
  const auto count = worker_count(config_->listen);
  std::vector<net::WorkerOptions> options;
  for (std::size_t i = 0; i < count; ++i) {
    options.push_back(worker_options(i, count, chain));
  }
  auto proxy = net::Proxy::create(std::move(options), *control_, log_);
  if (!proxy) {
    return base::fail(proxy.error().code, proxy.error().message);
  }
  proxy_ = *std::move(proxy);
  ReloadSteps steps;
  steps.load = [this] { return host_.reload(); };
  steps.install = [this](const auto& next, base::Task done) {
    proxy_->replace_chain(next, std::move(done));
  };
  reloader_ = std::make_unique<Reloader>(std::move(steps), background_, control_->mailbox(), log_);
  return proxy_->listen(config_->listen);
}

net::WorkerOptions App::worker_options(std::size_t index, std::size_t count,
                                       std::shared_ptr<const hooks::Chain> chain) {
  analyzers_.push_back(std::make_unique<sql::Analyzer>(sql::Analyzer::Options{}));
  session::Environment environment;
  environment.slow = &slow_lane_;
  environment.clock = &clock_;
  environment.log = &log_;
  environment.analyzer = analyzers_.back().get();
  environment.store = &store_;
  environment.config = config_;
  environment.chain = std::move(chain);
  environment.next_statement_id = 1 + index;
  environment.statement_id_step = count;
  net::WorkerOptions options;
  options.name = "worker " + std::to_string(index);
  options.server = net::server_target(config_->server);
  options.connection_limits = &connection_limits_;
  options.environment = std::move(environment);
  return options;
}

base::Result<void> App::start_admin() {
  if (config_->admin.addresses.empty()) {
    return {};
  }
  AdminControl::Process process{
      host_,
      store_,
      registry_,
      control_->mailbox(),
      [this](admin::OnReloaded done) { reloader_->request(std::move(done)); },
      serving_};
  admin_control_ = std::make_unique<AdminControl>(std::move(process));
  admin_server_ = std::make_unique<admin::http::Server>(log_, admin::http::Limits{});
  admin_router_ =
      std::make_unique<admin::Router>(store_, *admin_control_, admin_server_->executor());
  const auto started = admin_server_->start(
      config_->admin, [this](admin::Request request, admin::Responder respond) {
        admin_router_->handle(std::move(request), std::move(respond));
      });
  if (!started) {
    const auto& origin = config_->admin.origin;
    return base::fail(started.error().code,
                      (origin.empty() ? "" : origin + ": ") + started.error().message);
  }
  return {};
}

void App::register_metrics() {
  for (const auto& worker : proxy_->workers()) {
    registrations_.push_back(registry_.add_source(worker_metrics(worker->stats())));
  }
  registrations_.push_back(registry_.add_source(plugin_metrics(host_)));
  registrations_.push_back(registry_.add_source(store_metrics(store_)));
  registrations_.push_back(registry_.add_source(process_metrics(slow_lane_)));
}

void App::log_addresses() {
  log_.write(base::LogLevel::info, "heliosproxy " HELIOS_VERSION ", " +
                                       std::to_string(proxy_->workers().size()) + " workers");
  for (const auto& address : proxy_->addresses()) {
    log_.write(base::LogLevel::info, "listening on " + config::to_string(address));
  }
}

void App::run() {
  while (!finished_) {
    control_->run_once(kMaxWaitMs);
  }
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
                                       std::to_string(config_->shutdown.drain_timeout_ms) + " ms");
  proxy_->drain(false);
  control_->start_timer(config_->shutdown.drain_timeout_ms, [this] { cut(); });
}

void App::cut() {
  if (std::exchange(cutting_, true)) {
    return;
  }
  log_.write(base::LogLevel::warning, "shutting down: cutting the sessions that are left");
  proxy_->drain(true);
}

// Nobody may ever touch a namespace again whose entries have expired.
void App::remove_expired_regularly() {
  control_->start_timer(kExpiryIntervalMs, [this] {
    store_.remove_expired();
    remove_expired_regularly();
  });
}

// From the outside in: who asks, who works, what they work with.
void App::stop() {
  serving_ = false;
  signals_.stop();
  if (admin_server_) {
    admin_server_->stop();
  }
  registrations_.clear();
  background_.stop();
  if (proxy_) {
    proxy_->stop();
  }
  // Its threads may still be leaving the mailboxes of workers that have ended.
  slow_lane_.stop();
  proxy_.reset();
}

}  // namespace helios::app
