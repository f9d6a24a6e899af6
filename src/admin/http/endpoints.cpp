// SPDX-License-Identifier: Apache-2.0
#include "admin/http/endpoints.hpp"

#include <algorithm>
#include <chrono>

namespace helios::admin::http {

namespace ip = boost::asio::ip;

std::string to_text(const ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  const bool is_v6 = endpoint.address().is_v6();
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

std::string host_of(const ip::address& address) {
  if (!address.is_v6()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6(bytes).to_string();
}

std::int64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

bool PeerCounts::add(const ip::address& address, std::size_t max) {
  const auto at = counts_.try_emplace(host_of(address), 0).first;
  if (at->second >= max) return false;  // max is not 0, so nothing was made
  ++at->second;
  return true;
}

void PeerCounts::remove(const ip::address& address) {
  const auto at = counts_.find(host_of(address));
  if (--at->second == 0) counts_.erase(at);
}

}  // namespace helios::admin::http
