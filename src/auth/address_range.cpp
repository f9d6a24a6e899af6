// SPDX-License-Identifier: Apache-2.0

#include "auth/address_range.hpp"

#include "auth/rule_problems.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include <arpa/inet.h>

namespace helios::auth {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

base::Result<IpAddress> read_address(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) {
    return base::fail(base::Errc::invalid,
                      in_quotes(text) +
                          " is no IP address, and host names are not supported here: write an "
                          "address, such as 10.1.2.3/32 or 2001:db8::1/128");
  }
  if (address->is_mapped_ipv4()) {
    return base::fail(
        base::Errc::invalid,
        in_quotes(text) + " would never fit: write the IPv4 address, without ::ffff:");
  }
  return *address;
}

base::Result<unsigned> read_length(std::string_view text, unsigned most) {
  unsigned length = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || stop != text.data() + text.size() || length > most) {
    return base::fail(base::Errc::invalid,
                      "the number behind the '/' must be from 0 to " + std::to_string(most));
  }
  return length;
}

IpAddress mask_of(unsigned length, bool is_ipv4) {
  IpAddress mask{.is_ipv4 = is_ipv4, .bytes = {}};
  for (unsigned bit = 0; bit < length; ++bit) {
    mask.bytes[bit / 8] = static_cast<std::uint8_t>(mask.bytes[bit / 8] | (0x80U >> bit % 8));
  }
  return mask;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.contains('\0')) return std::nullopt;
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  address = {.is_ipv4 = true, .bytes = {}};
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::parse_client(std::string_view text) {
  const auto address = parse(text.substr(0, text.find('%')));
  if (!address || !address->is_mapped_ipv4()) return address;
  IpAddress ipv4{.is_ipv4 = true, .bytes = {}};
  std::copy(address->bytes.begin() + kMapped.size(), address->bytes.end(), ipv4.bytes.begin());
  return ipv4;
}

std::string IpAddress::host() const {
  constexpr std::size_t kIpv4Bytes = 4;
  constexpr std::size_t kNetworkBytes = 8;
  return {reinterpret_cast<const char*>(bytes.data()), is_ipv4 ? kIpv4Bytes : kNetworkBytes};
}

bool IpAddress::is_mapped_ipv4() const {
  return !is_ipv4 && std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

base::Result<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = read_address(text.substr(0, slash));
  if (!address) return std::unexpected(address.error());
  if (slash == std::string_view::npos) {
    return base::fail(base::Errc::invalid, "a mask is missing: write " + std::string(text) + "/" +
                                               std::to_string(address->bits()) +
                                               " for this address alone");
  }
  const auto length = read_length(text.substr(slash + 1), address->bits());
  if (!length) return std::unexpected(length.error());
  AddressRange range;
  range.is_everything_ = false;
  range.address_ = *address;
  range.mask_ = mask_of(*length, address->is_ipv4);
  return range;
}

base::Result<AddressRange> AddressRange::parse(std::string_view address, std::string_view mask) {
  const auto first = read_address(address);
  if (!first) return std::unexpected(first.error());
  const auto bits = IpAddress::parse(mask);
  if (!bits || bits->is_ipv4 != first->is_ipv4) {
    return base::fail(base::Errc::invalid, in_quotes(mask) + " is no mask for " +
                                               (first->is_ipv4 ? "an IPv4" : "an IPv6") +
                                               " address: write the address with its length");
  }
  AddressRange range;
  range.is_everything_ = false;
  range.address_ = *first;
  range.mask_ = *bits;
  return range;
}

bool AddressRange::contains(const IpAddress& address) const {
  if (is_everything_) return true;
  if (address.is_ipv4 != address_.is_ipv4) return false;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    if (((address.bytes[i] ^ address_.bytes[i]) & mask_.bytes[i]) != 0) return false;
  }
  return true;
}

}  // namespace helios::auth
