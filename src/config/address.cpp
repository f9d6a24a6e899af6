// SPDX-License-Identifier: Apache-2.0

#include "config/config.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <sys/un.h>

namespace helios::config {
namespace {

constexpr const char* kAddressForm =
    R"(must be an IP address and a port, such as "127.0.0.1:6432" or "[::1]:6432")";

bool is_ipv4(const std::string& host) {
  in_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_alnum(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; }

// Letters, digits, `-` and `_` between dots, as resolvers take them (RFC 1123 section 2.1, and RFC 2181 section 11 for the
// lengths). What ends in digits alone is an address that somebody has mistyped.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kMaxName = 253;
  constexpr std::size_t kMaxLabel = 63;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxName) return false;
  std::string_view label;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    label = text.substr(0, dot);
    const bool is_well = !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
                         std::ranges::all_of(label, [](char letter) {
                           return is_alnum(letter) || letter == '-' || letter == '_';
                         });
    if (!is_well || dot + 1 == text.size()) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return !std::ranges::all_of(
      label, [](char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

}  // namespace

base::Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) {
    return base::fail(base::Errc::invalid, kAddressForm);
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) {
    return base::fail(base::Errc::invalid, "the port must be a number from 0 to 65535");
  }
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  Address address{std::string(host), *port};
  if (bracketed ? !is_ipv6(address.host) : !is_ipv4(address.host)) {
    return base::fail(base::Errc::invalid, kAddressForm);
  }
  return address;
}

std::string to_string(const Address& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  const auto host = bracketed ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

bool is_loopback(const Address& address) {
  in6_addr six{};
  if (inet_pton(AF_INET6, address.host.c_str(), &six) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&six);
  }
  in_addr four{};
  return inet_pton(AF_INET, address.host.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

base::Result<Server> parse_server(std::string_view text) {
  Server server;
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && !text.ends_with(']');
  if (has_port) {
    const auto port = parse_port(text.substr(colon + 1));
    if (!port || *port == 0) {
      return base::fail(base::Errc::invalid, "the port must be a number from 1 to 65535");
    }
    server.port = *port;
    text = text.substr(0, colon);
  }
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  server.host = bracketed ? text.substr(1, text.size() - 2) : text;
  if (const auto checked = check_server_host(server.host); !checked) {
    return base::fail(checked.error().code, checked.error().message);
  }
  if (bracketed != is_ipv6(server.host)) {
    return base::fail(base::Errc::invalid, "an IPv6 address, and nothing else, is in brackets");
  }
  return server;
}

base::Result<void> check_server_host(std::string_view host) {
  const std::string text(host);
  if (text.find('\0') != std::string::npos) {
    return base::fail(base::Errc::invalid, "must not contain a NUL byte");
  }
  if (text.starts_with('/')) {
    // "/.s.PGSQL.65535" and a terminator have to fit behind the folder.
    if (text.size() + 16 > sizeof(sockaddr_un::sun_path)) {
      return base::fail(base::Errc::invalid, "the folder's name is too long for a Unix socket");
    }
    return {};
  }
  if (text == "localhost" || is_ipv4(text) || is_ipv6(text)) {
    return {};
  }
  if (is_host_name(text)) return {};
  return base::fail(base::Errc::invalid,
                    "must be an IP address, a host name, or a folder with a Unix socket");
}

bool is_dns_name(std::string_view host) {
  const std::string text(host);
  return text != "localhost" && is_host_name(text) && !is_ipv4(text);
}

}  // namespace helios::config
