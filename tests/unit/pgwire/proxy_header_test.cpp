// SPDX-License-Identifier: Apache-2.0
//
// Goal: a PROXY header is read as its specification has it, at every cut, and nothing that is none is taken for one.

#include "pgwire/proxy_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace helios::pgwire {
namespace {

using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kIpv4 =
    "\x0a\x01\x02\x03\x0a\0\0\x05\x9c\x40\x19\x20"s;  // 10.1.2.3:40000, 10.0.0.5:6432
const std::string kIpv6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\x9c\x40\x19\x20"s;

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}

std::string binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + number(rest.size()) + rest;
}

std::string tlv(char type, const std::string& value) { return type + number(value.size()) + value; }

// "10.1.2.3 of 28 bytes", "more", or what is wrong.
std::string read(std::string_view input) {
  const auto header = parse_proxy_header(input);
  if (!header) return header.error().message;
  if (!*header) return "more";
  return (*header)->client_ip + " of " + std::to_string((*header)->bytes) + " bytes";
}

// Every header there is, with the client that it names.
std::vector<std::pair<std::string, std::string>> every_header() {
  return {
      {"PROXY TCP4 10.1.2.3 10.0.0.5 40000 6432\r\n", "10.1.2.3"},
      {"PROXY TCP6 2001:DB8:0::1 ::1 1 65535\r\n", "2001:db8::1"},
      {"PROXY TCP6 ::ffff:10.1.2.3 ::1 0 0\r\n", "::ffff:10.1.2.3"},
      {"PROXY UNKNOWN\r\n", ""},
      {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       ""},
      {binary('\x21', '\x11', kIpv4), "10.1.2.3"},
      {binary('\x21', '\x11', kIpv4 + tlv('\x04', "padding") + tlv('\x02', "")), "10.1.2.3"},
      {binary('\x21', '\x21', kIpv6), "2001:db8::1"},
      {binary('\x21', '\x31', std::string(216, '\0')), ""},
      {binary('\x21', '\0', ""), ""},
      {binary('\x21', '\0', "anything"), ""},
      {binary('\x20', '\0', ""), ""},
      {binary('\x20', '\x11', kIpv4), ""},       // LOCAL: his own connection, whatever it says
      {binary('\x20', '\x77', "anything"), ""},  // of any family
      {binary('\x21', '\x11', kIpv4 + tlv('\x04', std::string(4065, 'x'))), "10.1.2.3"},
  };
}

TEST(ProxyHeader, every_form_is_read_at_every_cut) {
  for (const auto& [header, client] : every_header()) {
    const std::string whole = client + " of " + std::to_string(header.size()) + " bytes";
    for (std::size_t cut = 0; cut < header.size(); ++cut)
      EXPECT_EQ(read(header.substr(0, cut)), "more") << cut << " of " << header;
    EXPECT_EQ(read(header), whole) << header;
    EXPECT_EQ(read(header + "PROXY and what the client says\n"), whole) << header;
  }
}

TEST(ProxyHeader, what_is_none_is_known_as_soon_as_can_be) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\0"s, "the connection does not begin with one"},  // a startup packet
      {"PROXZ", "the connection does not begin with one"},
      {"\r\n\r\n\1", "the connection does not begin with one"},
      {"\x16\x03\x01", "the connection does not begin with one"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 1 2\n", "its line does not end with CR LF"},
      {"PROXY \n", "its line does not end with CR LF"},
      {"PROXY \r\n", "it names neither TCP4, TCP6 nor UNKNOWN"},
      {"PROXY UDP4 10.1.2.3 10.0.0.5 1 2\r\n", "it names neither TCP4, TCP6 nor UNKNOWN"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 1\r\n", "it has not two addresses and two ports"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 1 2 3\r\n", "it has not two addresses and two ports"},
      {"PROXY TCP4  10.1.2.3 10.0.0.5 1 2\r\n", "it has not two addresses and two ports"},
      {"PROXY TCP4 10.1.2 10.0.0.5 1 2\r\n", "an address is none of its family"},
      {"PROXY TCP4 ::1 ::1 1 2\r\n", "an address is none of its family"},
      {"PROXY TCP6 10.1.2.3 10.0.0.5 1 2\r\n", "an address is none of its family"},
      {"PROXY TCP4 10.1.2.3 nowhere 1 2\r\n", "an address is none of its family"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 65536 2\r\n", "a port is none"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 1 02\r\n", "a port is none"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 1 \r\n", "a port is none"},
      {"PROXY TCP4 10.1.2.3 10.0.0.5 -1 2\r\n", "a port is none"},
      {"PROXY " + std::string(101, 'x'), "its line is longer than 107 bytes"},
      {kSignature + "\x11", "its version is not 2"},
      {kSignature + "\x22", "its command is neither LOCAL nor PROXY"},
      {binary('\x21', '\x12', kIpv4), "its addresses are of a family that is none of TCP"},
      {binary('\x21', '\x41', kIpv4), "its addresses are of a family that is none of TCP"},
      {binary('\x21', '\x11', kIpv4.substr(1)), "it is too short for its addresses"},
      {binary('\x21', '\x21', kIpv4), "it is too short for its addresses"},
      {binary('\x21', '\x31', std::string(215, '\0')), "it is too short for its addresses"},
      {binary('\x21', '\x11', kIpv4 + "\x04"), "a TLV is cut off"},
      {binary('\x21', '\x11', kIpv4 + "\x04\0\2x"s), "a TLV is cut off"},
      {kSignature + "\x21\x11" + number(4081), "it is longer than 4096 bytes"},
      {kSignature + "\x21\x11\xff\xff", "it is longer than 4096 bytes"},
  };
  for (const auto& [input, wrong] : cases) EXPECT_EQ(read(input), wrong) << input;
}

// A C string would end there, and the rest of the word would not be looked at.
TEST(ProxyHeader, address_with_a_nul_inside_is_none) {
  EXPECT_EQ(read("PROXY TCP4 10.1.2.3\0 10.0.0.5 1 2\r\n"s), "an address is none of its family");
  EXPECT_EQ(read("PROXY TCP4 10.1.2.3 10.0.0.5\0x 1 2\r\n"s), "an address is none of its family");
}

TEST(ProxyHeader, checksum_is_checked_where_there_is_one) {
  // CRC32C of the whole header with a zero in its place, computed beside this code.
  const std::string right = binary('\x21', '\x11', kIpv4 + tlv('\x03', "\xef\xba\xfe\xca"s));
  EXPECT_EQ(read(right), "10.1.2.3 of " + std::to_string(right.size()) + " bytes");
  for (std::size_t at = 16; at < right.size(); ++at) {
    if (at >= 28 && at < 31) continue;  // then it is no checksum
    std::string wrong = right;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_EQ(read(wrong), "its checksum is wrong") << at;
  }
  EXPECT_EQ(read(binary('\x21', '\x11', kIpv4 + tlv('\x03', "abc"))), "its checksum is wrong");
}

}  // namespace
}  // namespace helios::pgwire
