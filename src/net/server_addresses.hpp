// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the configured server is: an address, a socket, or the addresses that a name has now. A name is looked up by a
// thread of its own, again and again, since the system's resolver waits: nobody who wants a connection ever waits for it
// while addresses are known. They stay in force while looking up fails.
//
// Thread rule: any thread.

#include "base/result.hpp"
#include "config/config.hpp"
#include "net/engine/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace helios::net {

// In the order to try; never empty. They live as long as somebody holds them, whatever the name means meanwhile.
using SharedEndpoints = std::shared_ptr<const std::vector<Endpoint>>;
using SharedEndpoint = std::shared_ptr<const Endpoint>;

// Errors: unavailable, with the resolver's words.
using LookUp =
    std::function<base::Result<std::vector<Endpoint>>(const std::string& host, std::uint16_t port)>;

// By the system's resolver (getaddrinfo(3)): /etc/hosts, DNS and what else it is configured for. May take many seconds. The first 32.
[[nodiscard]] base::Result<std::vector<Endpoint>> look_up(const std::string& host,
                                                          std::uint16_t port);

class ServerAddresses {
 public:
  struct Reading {
    SharedEndpoints endpoints;  // null: none are known
    std::string failure;        // why; empty: the first look-up has not ended yet
  };

  // Known at once, and for good: one place, or ::1 and then 127.0.0.1 for "localhost". A name is looked up by `by`, which
  // has to be callable from another thread, at any time; again after `dns_ttl_s`, or kRetry where nothing is known.
  // Requires: config::check_server_host() accepted the host.
  explicit ServerAddresses(const config::Server& server, LookUp by = look_up);
  // Does not wait for the look-up under way, which is forgotten.
  ~ServerAddresses();
  ServerAddresses(const ServerAddresses&) = delete;
  ServerAddresses& operator=(const ServerAddresses&) = delete;

  static constexpr std::chrono::milliseconds kRetry{1000};

  [[nodiscard]] Reading read() const;
  // As people are shown it: "10.0.0.5:5432", "db.example:5432".
  [[nodiscard]] const std::string& text() const { return text_; }
  // Are these those of `server`?
  [[nodiscard]] bool is_of(const config::Server& server) const;

 private:
  struct State;

  [[nodiscard]] static base::Result<std::vector<Endpoint>> try_to_look_up(State& state);
  static void keep_looking(const std::shared_ptr<State>& state);

  std::string host_;
  std::uint16_t port_;
  std::uint32_t ttl_s_;
  std::string text_;
  std::shared_ptr<State> state_;  // also the thread's, which may outlive this
};

}  // namespace helios::net
