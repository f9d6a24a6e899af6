// SPDX-License-Identifier: Apache-2.0

#include "net/worker.hpp"

#include "base/text.hpp"
#include "net/engine/sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <pthread.h>
#include <sys/random.h>

namespace helios::net {
namespace {

// A random (version 4) UUID.
std::string make_uuid() {
  std::array<char, 16> bytes{};
  // Does not fail for so few bytes, and never on a system that is up.
  [[maybe_unused]] const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  auto text = base::to_hex({bytes.data(), bytes.size()});
  for (const auto position : {8U, 13U, 18U, 23U}) {
    text.insert(position, 1, '-');
  }
  return text;
}

}  // namespace

base::Result<std::unique_ptr<Worker>> Worker::create(WorkerOptions options) {
  if (options.loop) {
    auto loop = std::move(options.loop);
    return std::unique_ptr<Worker>(new Worker(std::move(options), std::move(loop), false));
  }
  auto engine = make_engine(options.engine);
  if (!engine) {
    return base::fail(engine.error().code, engine.error().message);
  }
  return std::unique_ptr<Worker>(new Worker(std::move(options), *std::move(engine), true));
}

Worker::Worker(WorkerOptions options, std::unique_ptr<Engine> engine, bool has_thread)
    : name_(std::move(options.name)),
      connection_limits_(*options.connection_limits),
      memory_share_(*options.memory_share),
      memory_budget_(*options.memory_budget),
      server_(std::move(options.server)),
      environment_(std::move(options.environment)),
      engine_(std::move(engine)),
      cancel_sender_(*engine_, tls_work_),
      context_{*engine_,
               environment_,
               server_,
               *options.cancel_registry,
               *this,
               cancel_sender_,
               tls_work_,
               stats_,
               [this](SessionId id) { retired_.push_back(id); },
               [this](SessionId id) {
                 const auto found = drivers_.find(id);
                 if (found != drivers_.end()) {
                   found->second->on_cancel_delivered();
                 }
               },
               [this](SessionId id) {
                 const auto found = drivers_.find(id);
                 if (found != drivers_.end()) {
                   found->second->on_cap_cancelled();
                 }
               }},
      has_thread_(has_thread) {
  context_.client_tls = std::move(options.tls.clients);
  if (options.faults != nullptr) {
    engine_->report_faults_to(*options.faults);
  }
  environment_.home = &engine_->mailbox();
  environment_.counters = &counters_;
  environment_.timings = &stats_.timings;
  environment_.admission = &connection_limits_;
  environment_.memory.elsewhere = [this] {
    const auto shown = memory_share_.bytes.load(std::memory_order_relaxed);
    return memory_budget_.total_bytes() - shown + engine_->unsent_bytes();
  };
}

Worker::~Worker() = default;

void Worker::start(base::Task on_end) {
  on_end_ = std::move(on_end);
  if (has_thread_) {
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), name_.c_str());
      while (run_round(Engine::kNoLimit)) {
      }
    });
  }
}

void Worker::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Worker::run_round(std::int64_t max_wait_ms) {
  if (is_done()) {
    if (on_end_) {
      std::exchange(on_end_, {})();
    }
    return false;
  }
  auto busy_ns = engine_->run_once(max_wait_ms);
  if (!retired_.empty()) {
    busy_ns += destroy_retired();
  }
  publish_counters();
  publish_memory();
  stats_.round_seconds.observe(static_cast<double>(busy_ns) * 1e-9);
  return true;
}

// Those that still read their last bytes are given the time, unless somebody is in a hurry.
bool Worker::is_done() const {
  const bool is_flushed = engine_->lingering() == 0 && cancel_sender_.in_flight() == 0;
  return draining_ && drivers_.empty() && (is_flushed || forced_);
}

// Returns how long that took: what a session held may be much.
std::int64_t Worker::destroy_retired() {
  const auto started = std::chrono::steady_clock::now();
  for (const auto id : retired_) {
    drivers_.erase(id);
    connection_limits_.close();
    stats_.sessions_closed.add();
  }
  retired_.clear();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - started).count();
}

void Worker::publish_counters() {
  const auto publish = [](metrics::Counter& out, std::uint64_t now) { out.add(now - out.value()); };
  publish(stats_.queries, counters_.queries);
  publish(stats_.statements, counters_.statements);
  publish(stats_.refused, counters_.refused);
  publish(stats_.protocol_errors, counters_.protocol_errors);
  publish(stats_.out_of_memory, counters_.out_of_memory);
  publish(stats_.session_faults, counters_.session_faults);
  publish(stats_.failed_logins, counters_.failed_logins);
  publish(stats_.slowed_logins, counters_.slowed_logins);
  publish(stats_.refused_logins, counters_.refused_logins);
  publish(stats_.bad_proxy_headers, counters_.bad_proxy_headers);
  for (std::size_t kind = 0; kind < counters_.blocked.size(); ++kind) {
    publish(stats_.blocked[kind], counters_.blocked[kind]);
  }
  const auto& parses = environment_.analyzer->counters();
  publish(stats_.texts_prefiltered, parses.prefiltered);
  publish(stats_.texts_cached, parses.hits);
  publish(stats_.texts_parsed, parses.misses);
}

void Worker::publish_memory() {
  memory_share_.bytes.store(environment_.memory.here_bytes + engine_->unsent_bytes(),
                            std::memory_order_relaxed);
}

void Worker::accept(Fd connection, const Endpoint& peer, std::optional<session::OsUser> os_user) {
  mailbox().post(
      [this, connection = std::move(connection), peer, os_user = std::move(os_user)]() mutable {
        open_session(std::move(connection), peer, std::move(os_user));
      });
}

void Worker::open_session(Fd connection, const Endpoint& peer,
                          std::optional<session::OsUser> os_user) {
  if (draining_) {
    return;
  }
  set_session_options(connection, peer, environment_.config->tcp);
  const bool is_over_limit = !connection_limits_.open();
  try {
    start_session(std::move(connection), peer, std::move(os_user), is_over_limit);
  } catch (...) {
    connection_limits_.close();
    throw;
  }
  stats_.sessions_opened.add();  // once it is there: whoever sees the number finds the session
}

void Worker::start_session(Fd connection, const Endpoint& peer,
                           std::optional<session::OsUser> os_user, bool is_over_limit) {
  if (retired_.capacity() <= drivers_.size()) {
    retired_.reserve(2 * (drivers_.size() + 1));
  }
  const auto id = next_session_id_++;
  const auto ip = peer.ip();
  const bool is_front =
      std::ranges::any_of(environment_.config->listen.proxy_protocol_from,
                          [&ip](const auto& pattern) { return pattern.fits(ip); });
  drivers_.emplace(id, std::make_unique<ClientDriver>(context_, id, std::move(connection),
                                                      session::Peer{.ip = ip,
                                                                    .os_user = std::move(os_user),
                                                                    .is_over_limit = is_over_limit,
                                                                    .is_front = is_front,
                                                                    .session_id = make_uuid()}));
}

void Worker::replace_snapshot(session::Snapshot snapshot, SharedTarget server,
                              tls::SharedServerContext client_tls, base::Task done) {
  mailbox().post([this, snapshot = std::move(snapshot), server = std::move(server),
                  client_tls = std::move(client_tls), done = std::move(done)]() mutable {
    server_.swap(server);
    context_.client_tls.swap(client_tls);
    environment_.config.swap(snapshot.config);
    environment_.chain.swap(snapshot.chain);
    environment_.login_rules.swap(snapshot.login_rules);
    done();
  });
}

void Worker::drain(bool force) {
  mailbox().post([this, force] {
    draining_ = true;
    forced_ = forced_ || force;
    // Drivers that retire meanwhile stay in the table until the round is over.
    for (const auto& [id, driver] : drivers_) {
      driver->drain(force);
    }
  });
}

void Worker::set_blocks(blocks::SharedBlockSet blocks, OnBlocksSet done) {
  mailbox().post([this, blocks = std::move(blocks), done = std::move(done)]() mutable {
    environment_.blocks.swap(blocks);
    std::size_t ended = 0;
    // Drivers that retire meanwhile stay in the table until the round is over.
    for (const auto& [id, driver] : drivers_) {
      ended += driver->on_blocks() ? 1 : 0;
    }
    publish_counters();  // first: whoever hears of the end finds the numbers
    done(ended);
  });
}

void Worker::cancel(SessionId session, base::Task done) {
  mailbox().post([this, session, done = std::move(done)]() mutable {
    const auto found = drivers_.find(session);
    if (found == drivers_.end()) {
      done();
    } else {
      found->second->cancel(std::move(done));
    }
  });
}

}  // namespace helios::net
