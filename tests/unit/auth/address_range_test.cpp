// SPDX-License-Identifier: Apache-2.0
//
// Ranges of addresses: what is in them, and what is none.

#include "auth/address_range.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace helios::auth {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

bool is_in(const base::Result<AddressRange>& range, std::string_view client) {
  if (!range) return false;
  const auto address = IpAddress::parse_client(client);
  return address && range->contains(*address);
}

bool is_in(std::string_view range, std::string_view client) {
  return is_in(AddressRange::parse(range), client);
}

std::string error_of(const base::Result<AddressRange>& range) {
  return range ? "no error" : range.error().message;
}

struct Case {
  const char* range;
  const char* client;
  bool is_in;
};

TEST(AddressRange, address_with_the_length_of_its_mask) {
  const Case cases[] = {
      {"10.1.2.3/32", "10.1.2.3", true},
      {"10.1.2.3/32", "10.1.2.2", false},
      {"10.1.0.0/16", "10.1.255.255", true},
      {"10.1.0.0/16", "10.2.0.0", false},
      {"10.1.2.3/16", "10.1.255.255", true},
      {"10.128.0.0/9", "10.128.0.1", true},
      {"10.128.0.0/9", "10.127.0.1", false},
      {"0.0.0.0/0", "255.1.2.3", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "10.1.2.3", false},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"fe80::/10", "fe80::1%eth0", true},
      {"::1/128", "::1", true},
      {"::1/128", "::2", false},
  };
  for (const auto& each : cases)
    EXPECT_EQ(is_in(each.range, each.client), each.is_in) << each.range << " " << each.client;
}

TEST(AddressRange, mapped_ipv4_address_of_a_client_is_the_ipv4_address) {
  EXPECT_TRUE(is_in("10.1.0.0/16", "::ffff:10.1.2.3"));
  EXPECT_FALSE(is_in("10.1.0.0/16", "::ffff:10.2.2.3"));
  EXPECT_FALSE(is_in("::/0", "::ffff:10.1.2.3"));
}

TEST(AddressRange, mask_in_a_column_of_its_own_may_have_gaps) {
  EXPECT_TRUE(is_in(AddressRange::parse("10.1.0.0", "255.255.0.0"), "10.1.2.3"));
  EXPECT_FALSE(is_in(AddressRange::parse("10.1.0.0", "255.255.0.0"), "10.2.2.3"));
  EXPECT_TRUE(is_in(AddressRange::parse("10.0.0.3", "255.0.0.255"), "10.9.9.3"));
  EXPECT_FALSE(is_in(AddressRange::parse("10.0.0.3", "255.0.0.255"), "10.9.9.4"));
  EXPECT_TRUE(is_in(AddressRange::parse("2001:db8::", "ffff:ffff::"), "2001:db8::9"));
  EXPECT_THAT(error_of(AddressRange::parse("10.1.0.0", "ffff::")),
              HasSubstr("\"ffff::\" is no mask for an IPv4"));
  EXPECT_THAT(error_of(AddressRange::parse("::1", "255.0.0.0")),
              HasSubstr("is no mask for an IPv6"));
  EXPECT_THAT(error_of(AddressRange::parse("::1", "x")), HasSubstr("\"x\" is no mask"));
}

TEST(AddressRange, default_is_every_address) {
  for (const char* client : {"0.0.0.0", "10.1.2.3", "::", "2001:db8::1", "::ffff:1.2.3.4"})
    EXPECT_TRUE(AddressRange().contains(*IpAddress::parse_client(client))) << client;
}

TEST(AddressRange, what_is_no_address_is_an_error) {
  for (const auto& text : {"db.example.com"s, "db.example.com/8"s, ".example.com"s, ""s, "/8"s,
                           "10.1/16"s, "10.1.2.256/32"s, "fe80::1%eth0/64"s, "10.0.0.0\0/8"s})
    EXPECT_THAT(error_of(AddressRange::parse(text)), HasSubstr("is no IP address")) << text;
}

TEST(AddressRange, length_of_a_mask_has_its_range) {
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/+8",
                           "10.0.0.0/ 8", "10.0.0.0/99999999999"})
    EXPECT_EQ(error_of(AddressRange::parse(text)),
              "the number behind the '/' must be from 0 to 32");
  EXPECT_EQ(error_of(AddressRange::parse("::/129")),
            "the number behind the '/' must be from 0 to 128");
}

TEST(AddressRange, address_alone_is_an_error_that_says_how_it_is_written) {
  EXPECT_EQ(error_of(AddressRange::parse("10.1.2.3")),
            "a mask is missing: write 10.1.2.3/32 for this address alone");
  EXPECT_THAT(error_of(AddressRange::parse("::1")), HasSubstr("write ::1/128"));
}

TEST(AddressRange, mapped_ipv4_address_in_a_rule_is_an_error) {
  EXPECT_THAT(error_of(AddressRange::parse("::ffff:10.0.0.0/104")), HasSubstr("would never fit"));
  EXPECT_THAT(error_of(AddressRange::parse("::ffff:0:0", "ffff::")), HasSubstr("would never fit"));
}

// Beside a model that knows IPv4 addresses as numbers.
TEST(AddressRange, contains_as_numbers_do) {
  std::mt19937 random(31);
  const auto text_of = [](std::uint32_t n) {
    return std::to_string(n >> 24) + "." + std::to_string(n >> 16 & 255) + "." +
           std::to_string(n >> 8 & 255) + "." + std::to_string(n & 255);
  };
  int inside = 0;
  for (int round = 0; round < 5000; ++round) {
    const unsigned length = static_cast<unsigned>(random() % 33);
    const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    const auto first = static_cast<std::uint32_t>(random());
    const std::uint32_t client = first ^ (std::uint32_t{1} << random() % 32);
    const bool expected = ((first ^ client) & mask) == 0;
    inside += expected ? 1 : 0;
    EXPECT_EQ(is_in(text_of(first) + "/" + std::to_string(length), text_of(client)), expected);
    EXPECT_EQ(
        is_in(AddressRange::parse(text_of(first), text_of(mask)), "::ffff:" + text_of(client)),
        expected);
  }
  EXPECT_GT(inside, 1000);
  EXPECT_LT(inside, 4000);
}

}  // namespace
}  // namespace helios::auth
