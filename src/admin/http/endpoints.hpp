// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is at the other end of a connection, and how many connections he has. Private to admin/http.

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace helios::admin::http {

// "127.0.0.1:4711", "[::1]:4711".
[[nodiscard]] std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

// Whom the address stands for: itself, or of IPv6 its /64, which one host has to itself.
[[nodiscard]] std::string host_of(const boost::asio::ip::address& address);

[[nodiscard]] std::int64_t monotonic_ns();

// Connections of each host. Thread rule: one thread.
class PeerCounts {
 public:
  // Counts one more, unless there are `max` already.
  [[nodiscard]] bool add(const boost::asio::ip::address& address, std::size_t max);

  // Requires: add() returned true for it.
  void remove(const boost::asio::ip::address& address);

 private:
  std::unordered_map<std::string, std::size_t> counts_;  // none is 0
};

}  // namespace helios::admin::http
