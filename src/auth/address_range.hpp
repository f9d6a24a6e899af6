// SPDX-License-Identifier: Apache-2.0
#pragma once

// IP addresses and ranges of them, as a rule of pg_hba.conf has them: an address with the bits of it that count, given as
// their number or as a mask. Pure: nothing here asks the system or the network.

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::auth {

struct IpAddress {
  bool is_ipv4 = false;
  std::array<std::uint8_t, 16> bytes{};  // an IPv4 address has the first four

  // Of a rule: an IPv4 or IPv6 address and nothing else.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  // Of a client, as the system prints it: an IPv4 address that came as an IPv6 one (::ffff:10.1.2.3) is the IPv4 address,
  // and the zone of a link-local one ("%eth0") does not count.
  [[nodiscard]] static std::optional<IpAddress> parse_client(std::string_view text);

  // Within ::ffff:0:0/96, where IPv6 writes IPv4 addresses.
  [[nodiscard]] bool is_mapped_ipv4() const;
  [[nodiscard]] unsigned bits() const { return is_ipv4 ? 32 : 128; }
  // For whom it stands, as a key: itself, or of IPv6 its /64, which one host has to itself.
  [[nodiscard]] std::string host() const;

  bool operator==(const IpAddress&) const = default;
};

class AddressRange {
 public:
  // Every address.
  AddressRange() = default;

  // "10.1.0.0/16", "2001:db8::/32". As in PostgreSQL, bits of the address behind those that count are not looked at.
  // Errors: invalid; the message says what it must be.
  [[nodiscard]] static base::Result<AddressRange> parse(std::string_view text);
  // "10.1.0.0", "255.255.0.0". The mask may have gaps. Errors: as above.
  [[nodiscard]] static base::Result<AddressRange> parse(std::string_view address,
                                                        std::string_view mask);

  // An IPv4 address is in no IPv6 range, nor the other way round.
  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  bool is_everything_ = true;
  IpAddress address_;
  IpAddress mask_;
};

}  // namespace helios::auth
