// SPDX-License-Identifier: Apache-2.0

#include "net/server_addresses.hpp"

#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <netdb.h>

namespace helios::net {
namespace {

// Each costs a time limit before the client hears that none answers; nobody has more servers behind a name.
constexpr std::size_t kMostAddresses = 32;

}  // namespace

base::Result<std::vector<Endpoint>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return base::fail(base::Errc::unavailable, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* each = found; each != nullptr && endpoints.size() < kMostAddresses;
       each = each->ai_next) {
    Endpoint endpoint;
    std::memcpy(&endpoint.storage, each->ai_addr, each->ai_addrlen);
    endpoint.length = each->ai_addrlen;
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

struct ServerAddresses::State {
  std::string host;
  std::uint16_t port = 0;
  std::chrono::seconds ttl{};
  LookUp by;
  std::mutex mutex;
  std::condition_variable wake;  // is_over
  bool is_over = false;
  Reading reading;
};

ServerAddresses::ServerAddresses(const config::Server& server, LookUp by)
    : host_(server.host),
      port_(server.port),
      ttl_s_(server.dns_ttl_s),
      state_(std::make_shared<State>()) {
  if (!config::is_dns_name(host_)) {
    auto endpoints = server_endpoints(server);
    text_ = endpoints.back().text();
    state_->reading.endpoints = std::make_shared<const std::vector<Endpoint>>(std::move(endpoints));
    return;
  }
  text_ = host_ + ":" + std::to_string(port_);
  state_->host = host_;
  state_->port = port_;
  state_->ttl = std::chrono::seconds(ttl_s_);
  state_->by = std::move(by);
  // The resolver cannot be told to stop: nobody waits for this thread, and nothing is its own but the state.
  std::thread([state = state_] { keep_looking(state); }).detach();
}

ServerAddresses::~ServerAddresses() {
  const std::lock_guard lock(state_->mutex);
  state_->is_over = true;
  state_->wake.notify_all();
}

// Want of memory is one more reason why there is no answer.
base::Result<std::vector<Endpoint>> ServerAddresses::try_to_look_up(State& state) {
  try {
    return state.by(state.host, state.port);
  } catch (const std::exception& wrong) {
    return base::fail(base::Errc::unavailable, wrong.what());
  }
}

void ServerAddresses::keep_looking(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (!state->is_over) {
    lock.unlock();
    auto found = try_to_look_up(*state);
    lock.lock();
    Reading& reading = state->reading;
    if (found && !found->empty()) {
      reading.endpoints = std::make_shared<const std::vector<Endpoint>>(*std::move(found));
    } else if (reading.endpoints == nullptr) {
      reading.failure = "the name \"" + state->host + "\" cannot be looked up: " +
                        (found ? "it has no address" : found.error().message);
    }
    const std::chrono::milliseconds pause =
        reading.endpoints == nullptr ? kRetry : std::chrono::milliseconds(state->ttl);
    state->wake.wait_for(lock, pause, [&state] { return state->is_over; });
  }
}

ServerAddresses::Reading ServerAddresses::read() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reading;
}

bool ServerAddresses::is_of(const config::Server& server) const {
  return host_ == server.host && port_ == server.port && ttl_s_ == server.dns_ttl_s;
}

}  // namespace helios::net
