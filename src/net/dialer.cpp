// SPDX-License-Identifier: Apache-2.0

#include "net/dialer.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace helios::net {
namespace {

// How soon a Unix socket is tried again whose server has too many connections waiting.
constexpr std::int64_t kBusyRetryMs = 10;

}  // namespace

ServerTarget server_target(const config::Server& server) {
  auto endpoints = server_endpoints(server);
  auto health = std::make_shared<ServerHealth>(endpoints.back().text());
  return {std::move(endpoints), server.connect_timeout_ms, std::move(health)};
}

Dialer::Dialer(Engine& engine, SharedTarget target, DialHandler& handler)
    : engine_(engine), target_(std::move(target)), handler_(handler) {
  time_limit_ =
      engine_.start_timer(target_->connect_timeout_ms, [this] { give_up("Connection timed out"); });
  try {
    try_next();
  } catch (...) {
    engine_.cancel_timer(time_limit_);
    throw;
  }
}

Dialer::~Dialer() {
  engine_.cancel_timer(time_limit_);
  engine_.cancel_timer(retry_);
}

void Dialer::try_next() { attempt_ = engine_.connect(target_->endpoints[next_], *this); }

void Dialer::on_connected(Fd connection) {
  engine_.cancel_timer(time_limit_);
  handler_.on_dialled(std::move(connection), target_->endpoints[next_]);
}

void Dialer::on_connect_failed(int error) {
  if (error == EAGAIN) {
    retry_ = engine_.start_timer(kBusyRetryMs, [this] { try_next(); });
  } else if (next_ + 1 < target_->endpoints.size()) {
    ++next_;
    try_next();
  } else {
    give_up(std::strerror(error));
  }
}

void Dialer::give_up(const std::string& reason) {
  attempt_.reset();
  engine_.cancel_timer(time_limit_);
  engine_.cancel_timer(retry_);
  handler_.on_dial_failed(reason);
}

}  // namespace helios::net
