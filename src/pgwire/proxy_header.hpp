// SPDX-License-Identifier: Apache-2.0
#pragma once

// The PROXY protocol, versions 1 and 2 (haproxy, doc/proxy-protocol.txt): what a load balancer sends in front of a connection that
// it passes on, so that whoever gets it knows the client's address. It has to be the first thing that comes; what follows it is
// the client's.
//
//   version 1   "PROXY TCP4 192.0.2.1 10.0.0.5 40000 6432\r\n", 107 bytes at most
//   version 2   12 bytes that no text begins with, version and command, family, Int16 length, addresses, then TLVs
//
// Of the TLVs only the checksum (CRC32C) is looked at; all of them have to fit the length. Whom one may believe is not decided here.
//
// Thread rule: any thread.

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace helios::pgwire {

// Of a whole header. Version 2 would allow 65,551: it is held for somebody of whom nothing is known yet, and what balancers add (names
// of a certificate, of an endpoint) takes some hundred bytes.
inline constexpr std::size_t kMaxProxyHeaderBytes = 4096;

struct ProxyHeader {
  std::size_t bytes = 0;  // of the header
  // The client's IP address, as the system prints it. Empty: the connection's own address counts. The sender speaks for himself
  // (LOCAL), does not know (UNKNOWN, UNSPEC), or the client came to him by a Unix socket, so from his machine.
  std::string client_ip;
};

// The header at the beginning of `input`; nullopt: it goes on. Errors: invalid, as soon as it can be none; the message says why, in
// words without anything of `input`.
[[nodiscard]] base::Result<std::optional<ProxyHeader>> parse_proxy_header(std::string_view input);

}  // namespace helios::pgwire
