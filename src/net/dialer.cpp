// SPDX-License-Identifier: Apache-2.0

#include "net/dialer.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace helios::net {
namespace {

// How soon a Unix socket is tried again whose server has too many connections waiting.
constexpr std::int64_t kBusyRetryMs = 10;
// How soon it is asked again whether a name has been looked up.
constexpr std::int64_t kLookUpRetryMs = 10;

}  // namespace

ServerTarget server_target(const config::Server& server, const config::Tcp& tcp,
                           tls::SharedClientContext tls, const ServerTarget* known) {
  const bool keeps_addresses = known != nullptr && known->addresses->is_of(server);
  auto addresses =
      keeps_addresses ? known->addresses : std::make_shared<const ServerAddresses>(server);
  const bool keeps_health =
      known != nullptr && known->health != nullptr && known->health->server() == addresses->text();
  auto health = keeps_health ? known->health : std::make_shared<ServerHealth>(addresses->text());
  return {.addresses = std::move(addresses),
          .connect_timeout_ms = server.connect_timeout_ms,
          .tcp = tcp,
          .health = std::move(health),
          .host = server.host,
          .tls = std::move(tls),
          .may_be_in_clear = server.tls.mode == config::ServerTlsMode::prefer,
          .is_tls_direct = server.tls.is_direct};
}

Dialer::Dialer(Engine& engine, SharedTarget target, SharedEndpoints only, DialHandler& handler)
    : engine_(engine), target_(std::move(target)), endpoints_(std::move(only)), handler_(handler) {
  restart_time_limit();
  try {
    begin();
  } catch (...) {
    engine_.cancel_timer(time_limit_);
    throw;
  }
}

Dialer::~Dialer() {
  engine_.cancel_timer(time_limit_);
  engine_.cancel_timer(retry_);
}

// Of one address, as libpq has it: a silent one must not use up the time of the others.
void Dialer::restart_time_limit() {
  engine_.cancel_timer(time_limit_);
  time_limit_ = engine_.start_timer(target_->connect_timeout_ms, [this] {
    attempt_.reset();
    try_other("Connection timed out");
  });
}

// Nothing is reported from inside the constructor.
void Dialer::begin() {
  if (endpoints_ != nullptr) return try_next();
  ServerAddresses::Reading known = target_->addresses->read();
  endpoints_ = std::move(known.endpoints);
  if (endpoints_ != nullptr) return try_next();
  if (known.failure.empty()) {
    retry_ = engine_.start_timer(kLookUpRetryMs, [this] { begin(); });
  } else {
    retry_ = engine_.start_timer(0, [this, why = std::move(known.failure)] { give_up(why); });
  }
}

void Dialer::try_next() { attempt_ = engine_.connect((*endpoints_)[next_], *this); }

void Dialer::on_connected(Fd connection) {
  engine_.cancel_timer(time_limit_);
  handler_.on_dialled(std::move(connection), SharedEndpoint(endpoints_, &(*endpoints_)[next_]));
}

void Dialer::on_connect_failed(int error) {
  if (error == EAGAIN) {
    retry_ = engine_.start_timer(kBusyRetryMs, [this] { try_next(); });
  } else {
    try_other(std::strerror(error));
  }
}

void Dialer::try_other(const std::string& reason) {
  if (endpoints_ == nullptr || next_ + 1 >= endpoints_->size()) return give_up(reason);
  engine_.cancel_timer(retry_);
  ++next_;
  restart_time_limit();
  try_next();
}

void Dialer::give_up(const std::string& reason) {
  attempt_.reset();
  engine_.cancel_timer(time_limit_);
  engine_.cancel_timer(retry_);
  handler_.on_dial_failed(reason);
}

}  // namespace helios::net
