// SPDX-License-Identifier: Apache-2.0
#include "pgwire/proxy_header.hpp"

#include "base/byte_writer.hpp"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>

namespace helios::pgwire {
namespace {

using Parsed = base::Result<std::optional<ProxyHeader>>;

constexpr std::string_view kTextBegin = "PROXY ";
constexpr std::size_t kMaxTextBytes = 107;
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16;  // of version 2, up to the addresses

std::unexpected<base::Error> malformed(const char* why) {
  return base::fail(base::Errc::invalid, why);
}

bool agrees(std::string_view input, std::string_view begin) {
  const std::size_t count = std::min(input.size(), begin.size());
  return input.substr(0, count) == begin.substr(0, count);
}

// ---- Version 1

// Empty: it is none. However it was written, it reads as the system would print it.
std::string normal_ip(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> printed{};
  if (text.contains('\0') || inet_pton(family, text.c_str(), bytes.data()) != 1) return {};
  inet_ntop(family, bytes.data(), printed.data(), printed.size());
  return printed.data();
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  const bool has_leading_zero = text.size() > 1 && text.front() == '0';
  return error == std::errc() && stop == end && !has_leading_zero;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t space = line.find(' ');
    words.emplace_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

Parsed parse_text(std::string_view input) {
  const std::size_t end = input.substr(0, kMaxTextBytes).find('\n');
  if (end == std::string_view::npos) {
    if (input.size() >= kMaxTextBytes) return malformed("its line is longer than 107 bytes");
    return std::nullopt;
  }
  if (input[end - 1] != '\r') return malformed("its line does not end with CR LF");
  const auto words = split(input.substr(kTextBegin.size(), end - 1 - kTextBegin.size()));
  ProxyHeader header{.bytes = end + 1, .client_ip = {}};
  if (words[0] == "UNKNOWN") return header;
  if (words[0] != "TCP4" && words[0] != "TCP6")
    return malformed("it names neither TCP4, TCP6 nor UNKNOWN");
  if (words.size() != 5) return malformed("it has not two addresses and two ports");
  const int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  header.client_ip = normal_ip(family, words[1]);
  if (header.client_ip.empty() || normal_ip(family, words[2]).empty())
    return malformed("an address is none of its family");
  if (!is_port(words[3]) || !is_port(words[4])) return malformed("a port is none");
  return header;
}

// ---- Version 2

// Castagnoli's polynomial.
using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

std::size_t load_length(const char* at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(at[0])) << 8 |
         static_cast<unsigned char>(at[1]);
}

// The checksum at `at` is one over the whole header, in which it counts as zero itself.
bool has_right_crc(std::string_view header, std::size_t at) {
  constexpr std::string_view kZero("\0\0\0\0", 4);
  const std::string_view behind = header.substr(at + kZero.size());
  Crc32c crc;
  crc.process_bytes(header.data(), at);
  crc.process_bytes(kZero.data(), kZero.size());
  crc.process_bytes(behind.data(), behind.size());
  return crc.checksum() == static_cast<std::uint32_t>(base::load_i32(header.data() + at));
}

// What is wrong with the TLVs of `header` from `at` on; null: nothing.
const char* complaint_about_tlvs(std::string_view header, std::size_t at) {
  constexpr std::size_t kTlvHeaderBytes = 3;
  constexpr unsigned char kCrc32c = 0x03;
  while (at < header.size()) {
    if (header.size() - at < kTlvHeaderBytes) return "a TLV is cut off";
    const auto type = static_cast<unsigned char>(header[at]);
    const std::size_t length = load_length(header.data() + at + 1);
    at += kTlvHeaderBytes;
    if (length > header.size() - at) return "a TLV is cut off";
    if (type == kCrc32c && (length != 4 || !has_right_crc(header, at)))
      return "its checksum is wrong";
    at += length;
  }
  return nullptr;
}

struct Family {
  unsigned char word;
  int family;                 // AF_UNSPEC: says nothing of an IP address
  std::size_t address_bytes;  // both addresses and ports
};
constexpr std::array<Family, 4> kFamilies = {{
    {0x00, AF_UNSPEC, 0},
    {0x11, AF_INET, 12},
    {0x21, AF_INET6, 36},
    {0x31, AF_UNIX, 216},
}};

Parsed parse_proxied(std::string_view header) {
  const auto* family =
      std::ranges::find(kFamilies, static_cast<unsigned char>(header[13]), &Family::word);
  if (family == kFamilies.end())
    return malformed("its addresses are of a family that is none of TCP");
  if (header.size() - kFixedBytes < family->address_bytes)
    return malformed("it is too short for its addresses");
  ProxyHeader parsed{.bytes = header.size(), .client_ip = {}};
  // Of UNSPEC nothing that follows means anything.
  if (family->family == AF_UNSPEC) return parsed;
  if (const char* wrong = complaint_about_tlvs(header, kFixedBytes + family->address_bytes))
    return malformed(wrong);
  if (family->family == AF_UNIX) return parsed;
  std::array<char, INET6_ADDRSTRLEN> printed{};
  inet_ntop(family->family, header.data() + kFixedBytes, printed.data(), printed.size());
  parsed.client_ip = printed.data();
  return parsed;
}

Parsed parse_binary(std::string_view input) {
  if (input.size() <= kSignature.size()) return std::nullopt;
  const auto command = static_cast<unsigned char>(input[12]);
  if (command >> 4 != 2) return malformed("its version is not 2");
  if ((command & 0x0F) > 1) return malformed("its command is neither LOCAL nor PROXY");
  if (input.size() < kFixedBytes) return std::nullopt;
  const std::size_t bytes = kFixedBytes + load_length(input.data() + 14);
  if (bytes > kMaxProxyHeaderBytes) return malformed("it is longer than 4096 bytes");
  if (input.size() < bytes) return std::nullopt;
  // LOCAL: whatever stands behind it is to be passed over.
  if ((command & 0x0F) == 0) return ProxyHeader{.bytes = bytes, .client_ip = {}};
  return parse_proxied(input.substr(0, bytes));
}

}  // namespace

Parsed parse_proxy_header(std::string_view input) {
  if (agrees(input, kTextBegin)) {
    if (input.size() <= kTextBegin.size()) return std::nullopt;
    return parse_text(input);
  }
  if (agrees(input, kSignature)) return parse_binary(input);
  return malformed("the connection does not begin with one");
}

}  // namespace helios::pgwire
