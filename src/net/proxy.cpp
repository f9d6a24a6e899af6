// SPDX-License-Identifier: Apache-2.0

#include "net/proxy.hpp"

#include "net/engine/sockets.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace helios::net {
namespace {

constexpr std::chrono::seconds kPauseWarningInterval{10};
constexpr std::size_t kMaxWorkers = 64;

// In front of a message: who has asked for it, where that is known.
std::string prefix_of(const std::string& origin) { return origin.empty() ? "" : origin + ": "; }

}  // namespace

std::size_t worker_count(const config::Listen& listen) {
  const std::size_t wanted =
      listen.workers != 0 ? listen.workers : std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(wanted, 1, kMaxWorkers);
}

base::Result<std::unique_ptr<Proxy>> Proxy::create(std::vector<WorkerOptions> workers,
                                                   ServerTarget server, Engine& control,
                                                   base::Log& log) {
  std::unique_ptr<Proxy> proxy(new Proxy(control, log));
  proxy->server_ = std::make_shared<const ServerTarget>(std::move(server));
  for (auto& options : workers) {
    options.server = proxy->server_;
    options.cancel_registry = &proxy->cancel_registry_;
    options.memory_share = &proxy->memory_.add_share();
    options.memory_budget = &proxy->memory_;
    auto worker = Worker::create(std::move(options));
    if (!worker) {
      return base::fail(worker.error().code, worker.error().message);
    }
    proxy->workers_.push_back(*std::move(worker));
  }
  return proxy;
}

Proxy::~Proxy() { stop(); }

void Proxy::stop() {
  if (!std::exchange(started_, false)) {
    return;
  }
  drain(true);
  for (const auto& worker : workers_) {
    worker->join();
  }
}

base::Result<void> Proxy::listen(const config::Listen& listen, PassedSockets passed) {
  for (const auto& address : listen.addresses) {
    if (auto opened = listen_on(listen, address, passed); !opened) {
      return opened;
    }
  }
  if (!listen.unix_socket_dir.empty()) {
    if (auto opened = listen_on_unix_socket(listen, passed); !opened) {
      return opened;
    }
  }
  if (auto checked = passed.check_all_taken(); !checked) {
    return checked;
  }
  if (bound_.empty()) {
    return base::fail(base::Errc::not_found,
                      prefix_of(listen.origin) + "there is no address to listen on");
  }
  return {};
}

base::Result<void> Proxy::listen_on(const config::Listen& listen, const config::Address& address,
                                    PassedSockets& passed) {
  const auto endpoint = tcp_endpoint(address);
  auto taken = endpoint ? passed.take(endpoint->text()) : std::nullopt;
  auto socket = taken ? base::Result<Fd>(*std::move(taken)) : open_listener(address);
  if (socket) {
    addresses_.push_back({address.host, local_endpoint(socket->get()).port()});
    bound_.push_back(*std::move(socket));
  } else if (listen.is_default && socket.error().code == base::Errc::not_found) {
    log_.write(base::LogLevel::info, socket.error().message + ": skipped");
  } else {
    return base::fail(socket.error().code, prefix_of(listen.origin) + socket.error().message);
  }
  return {};
}

base::Result<void> Proxy::listen_on_unix_socket(const config::Listen& listen,
                                                PassedSockets& passed) {
  const auto prefix = prefix_of(listen.unix_socket_origin);
  auto port = listen.unix_socket_port;
  if (port == 0 && !addresses_.empty()) {
    port = addresses_.front().port;
  }
  if (port == 0) {
    return base::fail(base::Errc::invalid, prefix + "the Unix socket needs unix_socket_port");
  }
  const auto path = net::unix_socket_path(listen.unix_socket_dir, port);
  if (auto taken = passed.take(path)) {
    note_unix_socket(path);
    bound_.push_back(*std::move(taken));
    return {};
  }
  auto opened = UnixListener::open(listen, port);
  if (!opened) {
    return base::fail(opened.error().code, prefix + opened.error().message);
  }
  unix_listener_.emplace(*std::move(opened));
  note_unix_socket(unix_listener_->path());
  bound_.push_back(unix_listener_->take_socket());
  return {};
}

void Proxy::note_unix_socket(const std::string& path) {
  if (unix_socket_path_.empty()) {
    unix_socket_path_ = path;
  }
}

base::Result<void> Proxy::inherit(std::vector<Fd> listening) {
  for (const auto& socket : listening) {
    if (auto checked = prepare_inherited_listener(socket); !checked) {
      return checked;
    }
  }
  for (auto& socket : listening) {
    const auto at = local_endpoint(socket.get());
    if (at.family() == AF_UNIX) {
      note_unix_socket(at.text());
    } else {
      addresses_.push_back({at.ip(), at.port()});
    }
    bound_.push_back(std::move(socket));
  }
  return {};
}

void Proxy::start(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  started_ = true;
  running_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->start([this] { control_.mailbox().post([this] { on_worker_ended(); }); });
  }
  for (auto& socket : std::exchange(bound_, {})) {
    accepting_.push_back(control_.accept(std::move(socket), *this));
  }
}

// What is known of a server stays known while it is the same one.
SharedTarget Proxy::renew_target(const config::Config& config, tls::SharedClientContext tls) {
  const std::lock_guard lock(server_mutex_);
  server_ = std::make_shared<const ServerTarget>(
      server_target(config.server, config.tcp, std::move(tls), server_.get()));
  return server_;
}

std::shared_ptr<const ServerHealth> Proxy::server_health() const {
  const std::lock_guard lock(server_mutex_);
  return server_->health;
}

void Proxy::replace_snapshot(const session::Snapshot& snapshot, const TlsContexts& tls,
                             base::Task done) {
  // Run, or destroyed, with the last worker's answer.
  struct Answer {
    base::Task done;
    std::size_t missing;  // the control thread
  };
  const auto answer = std::make_shared<Answer>(Answer{std::move(done), workers_.size()});
  const auto server = renew_target(*snapshot.config, tls.server);
  for (const auto& worker : workers_) {
    worker->replace_snapshot(snapshot, server, tls.clients, [&control = control_, answer] {
      control.mailbox().post([answer] {
        if (--answer->missing == 0) {
          answer->done();
        }
      });
    });
  }
}

void Proxy::set_blocks(const blocks::SharedBlockSet& blocks, OnBlocksSet done) {
  // Run, or destroyed, with the last worker's answer.
  struct Answer {
    OnBlocksSet done;
    std::size_t missing;    // the control thread
    std::size_t ended = 0;  // likewise
  };
  const auto answer = std::make_shared<Answer>(Answer{std::move(done), workers_.size()});
  for (const auto& worker : workers_) {
    worker->set_blocks(blocks, [&control = control_, answer](std::size_t ended) {
      control.mailbox().post([answer, ended] {
        answer->ended += ended;
        if (--answer->missing == 0) {
          answer->done(answer->ended);
        }
      });
    });
  }
}

void Proxy::drain(bool force) {
  accepting_.clear();
  unix_listener_.reset();  // its name is free for a successor from now on
  unix_socket_path_.clear();
  for (const auto& worker : workers_) {
    worker->drain(force);
  }
}

void Proxy::on_accepted(Fd connection, const Endpoint& peer) {
  auto os_user = peer.family() == AF_UNIX ? os_user_of(connection.get(), os_user_names_)
                                          : std::optional<session::OsUser>();
  workers_[next_worker_]->accept(std::move(connection), peer, std::move(os_user));
  next_worker_ = (next_worker_ + 1) % workers_.size();
}

// Happens again every kAcceptPauseMs while it lasts.
void Proxy::on_accept_paused(int error) {
  accept_pauses_.add();
  const auto now = std::chrono::steady_clock::now();
  if (now < pause_warning_due_) {
    return;
  }
  pause_warning_due_ = now + kPauseWarningInterval;
  log_.write(base::LogLevel::warning,
             std::string("cannot accept connections for now: ") + std::strerror(error));
}

void Proxy::on_worker_ended() {
  if (--running_ == 0) {
    on_drained_();
  }
}

}  // namespace helios::net
