// SPDX-License-Identifier: Apache-2.0

#include "config/client_pattern.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace helios::config {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kIpv4Bits = 32;

constexpr const char* kForm =
    R"(must be "*", "local", an IP address, or a range such as "10.1.0.0/16" or "2001:db8::/32")";

// Is bit `index` set, counted from the first?
bool bit(const std::array<std::uint8_t, 16>& bytes, unsigned index) {
  return (bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

bool is_same_to(unsigned bits, const std::array<std::uint8_t, 16>& left,
                const std::array<std::uint8_t, 16>& right) {
  const unsigned whole = bits / 8;
  if (!std::equal(left.begin(), left.begin() + whole, right.begin())) return false;
  for (unsigned index = whole * 8; index < bits; ++index) {
    if (bit(left, index) != bit(right, index)) return false;
  }
  return true;
}

base::Result<unsigned> read_prefix(std::string_view text, unsigned most) {
  unsigned prefix = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), prefix);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size() || prefix > most) {
    return base::fail(base::Errc::invalid,
                      "the number behind the '/' must be from 0 to " + std::to_string(most));
  }
  return prefix;
}

}  // namespace

bool ClientPattern::read_address(std::string_view text, Bytes& out) {
  const std::string terminated(text);
  if (terminated.contains('\0')) return false;
  if (inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return true;
  out = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return inet_pton(AF_INET, terminated.c_str(), out.data() + 12) == 1;
}

base::Result<ClientPattern> ClientPattern::parse(std::string_view text) {
  ClientPattern pattern;
  pattern.text_ = text;
  if (text == "*") return pattern;
  pattern.kind_ = text == "local" ? Kind::local : Kind::range;
  if (pattern.kind_ == Kind::local) return pattern;
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  if (!read_address(address, pattern.address_)) return base::fail(base::Errc::invalid, kForm);
  const unsigned bits = address.contains(':') ? kBits : kIpv4Bits;
  unsigned prefix = bits;
  if (slash != std::string_view::npos) {
    const auto read = read_prefix(text.substr(slash + 1), bits);
    if (!read) return base::fail(read.error().code, read.error().message);
    prefix = *read;
  }
  prefix += kBits - bits;
  pattern.prefix_ = static_cast<std::uint8_t>(prefix);
  for (unsigned index = prefix; index < kBits; ++index) {
    if (!bit(pattern.address_, index)) continue;
    return base::fail(base::Errc::invalid,
                      "the address has bits behind its prefix: write the first address of the "
                      "range, or a single address without '/'");
  }
  return pattern;
}

bool ClientPattern::fits(std::string_view ip) const {
  switch (kind_) {
    case Kind::any: return true;
    case Kind::local: return ip.empty();
    case Kind::range: break;
  }
  Bytes client{};
  return read_address(ip, client) && is_same_to(prefix_, address_, client);
}

}  // namespace helios::config
