// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which clients a rule is for, by where they come from: everybody, those on the Unix socket, or one range of addresses.
// Pure: nothing here asks the system or the network.
//
// Thread rule: a value; any thread.

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace helios::config {

class ClientPattern {
 public:
  // "*": everybody.
  ClientPattern() = default;

  // "*", "local" (the Unix socket), an IPv4 or IPv6 address, or a range of them in CIDR notation ("10.1.0.0/16",
  // "2001:db8::/32"). Errors: invalid; the message says what it must be. A range whose address has bits behind its
  // prefix is an error: it is not what its writer thinks it is.
  [[nodiscard]] static base::Result<ClientPattern> parse(std::string_view text);

  // `ip`: the client's address as the system prints it; empty for a client on the Unix socket. A client's IPv4 address
  // that came as an IPv6 one (::ffff:10.1.2.3) is the IPv4 address. An `ip` that is none fits "*" only.
  [[nodiscard]] bool fits(std::string_view ip) const;

  // A client on the Unix socket could fit.
  [[nodiscard]] bool admits_local() const { return kind_ != Kind::range; }

  // As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }

  bool operator==(const ClientPattern&) const = default;

 private:
  enum class Kind { any, local, range };
  // IPv4 addresses are held as IPv6 ones (::ffff:0:0/96), so that there is one kind of number.
  using Bytes = std::array<std::uint8_t, 16>;
  static bool read_address(std::string_view text, Bytes& out);

  Kind kind_ = Kind::any;
  Bytes address_{};
  std::uint8_t prefix_ = 0;  // bits of `address_` that count
  std::string text_ = "*";
};

}  // namespace helios::config
