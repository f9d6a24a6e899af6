// SPDX-License-Identifier: Apache-2.0

#include "net/engine/endpoint.hpp"

#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace helios::net {
namespace {

// The storage seen as the address of one family. memcpy is the way that the language allows.
template <typename T>
T view_as(const Endpoint& endpoint) {
  T result{};
  std::memcpy(&result, &endpoint.storage, sizeof(result));
  return result;
}

template <typename T>
Endpoint make_endpoint(const T& address) {
  static_assert(sizeof(T) <= sizeof(sockaddr_storage));
  Endpoint result;
  std::memcpy(&result.storage, &address, sizeof(address));
  result.length = sizeof(address);
  return result;
}

}  // namespace

std::string unix_socket_path(const std::string& folder, std::uint16_t port) {
  return folder + "/.s.PGSQL." + std::to_string(port);
}

Endpoint unix_endpoint(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return make_endpoint(address);
}

const sockaddr* Endpoint::address() const { return reinterpret_cast<const sockaddr*>(&storage); }

std::string Endpoint::text() const {
  if (family() == AF_UNIX) {
    return view_as<sockaddr_un>(*this).sun_path;
  }
  return config::to_string({ip(), port()});
}

std::string Endpoint::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto address = view_as<sockaddr_in>(*this);
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
  } else if (family() == AF_INET6) {
    const auto address = view_as<sockaddr_in6>(*this);
    inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::uint16_t Endpoint::port() const {
  if (family() == AF_INET) {
    return ntohs(view_as<sockaddr_in>(*this).sin_port);
  }
  return family() == AF_INET6 ? ntohs(view_as<sockaddr_in6>(*this).sin6_port) : std::uint16_t{0};
}

base::Result<Endpoint> tcp_endpoint(const config::Address& address) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(address.port);
  if (inet_pton(AF_INET, address.host.c_str(), &four.sin_addr) == 1) {
    return make_endpoint(four);
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(address.port);
  if (inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr) == 1) {
    return make_endpoint(six);
  }
  return base::fail(base::Errc::invalid, address.host + ": is not an IP address");
}

Endpoint local_endpoint(int fd) {
  Endpoint result;
  result.length = sizeof(result.storage);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.length);
  return result;
}

std::vector<Endpoint> server_endpoints(const config::Server& server) {
  if (server.host.starts_with('/')) {
    return {unix_endpoint(unix_socket_path(server.host, server.port))};
  }
  std::vector<std::string> hosts = {server.host};
  if (server.host == "localhost") {
    hosts = {"::1", "127.0.0.1"};
  }
  std::vector<Endpoint> result;
  for (const auto& host : hosts) {
    if (auto endpoint = tcp_endpoint({host, server.port})) {
      result.push_back(*endpoint);
    }
  }
  return result;
}

}  // namespace helios::net
