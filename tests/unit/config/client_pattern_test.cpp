// SPDX-License-Identifier: Apache-2.0
//
// Which clients a range of addresses holds.

#include "config/client_pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include <arpa/inet.h>

namespace helios::config {
namespace {

bool fits(std::string_view pattern, std::string_view ip) {
  const auto parsed = ClientPattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern << ": " << parsed.error().message;
  return parsed && parsed->fits(ip);
}

TEST(ClientPattern, star_is_everybody_and_local_the_unix_socket) {
  for (const char* ip : {"", "10.1.2.3", "::1"}) {
    EXPECT_TRUE(ClientPattern().fits(ip));
    EXPECT_TRUE(fits("*", ip));
    EXPECT_EQ(fits("local", ip), std::string_view(ip).empty());
  }
  EXPECT_TRUE(ClientPattern().admits_local());
  EXPECT_TRUE(ClientPattern::parse("local")->admits_local());
  EXPECT_FALSE(ClientPattern::parse("::/0")->admits_local());
}

TEST(ClientPattern, range_ends_where_its_prefix_says) {
  struct Case {
    const char* pattern;
    const char* ip;
    bool fits;
  };
  for (const Case& each : {
           Case{"10.1.2.3", "10.1.2.3", true},
           Case{"10.1.2.3", "10.1.2.4", false},
           Case{"10.1.2.3", "::ffff:10.1.2.3", true},
           Case{"10.0.0.0/9", "10.127.255.255", true},
           Case{"10.0.0.0/9", "10.128.0.0", false},
           Case{"10.1.2.2/31", "10.1.2.3", true},
           Case{"10.1.2.2/31", "10.1.2.4", false},
           Case{"0.0.0.0/0", "255.255.255.255", true},
           Case{"0.0.0.0/0", "2001:db8::1", false},
           Case{"0.0.0.0/0", "", false},
           Case{"0.0.0.0/0", "somewhere", false},
           Case{"::/0", "2001:db8::1", true},
           Case{"::/0", "10.1.2.3", true},
           Case{"::/0", "", false},
           Case{"2001:db8::/33", "2001:db8:7fff::1", true},
           Case{"2001:db8::/33", "2001:db8:8000::1", false},
           Case{"2001:DB8::1", "2001:db8::1", true},
           Case{"::ffff:10.0.0.0/104", "10.200.0.1", true},
       }) {
    EXPECT_EQ(fits(each.pattern, each.ip), each.fits) << each.pattern << " " << each.ip;
  }
}

TEST(ClientPattern, what_is_no_range_is_said) {
  const auto error_of = [](std::string_view text) {
    const auto parsed = ClientPattern::parse(text);
    return parsed ? "no error" : parsed.error().message;
  };
  for (const char* text : {"", "Local", "localhost", "10.1", "10.1.2.3.4", "010.1.2.3", " 10.1.2.3",
                           "[::1]", "fe80::1%eth0", "10.1.2.3:80", "/8", "*.1.2.3"}) {
    EXPECT_THAT(error_of(text), testing::HasSubstr("must be \"*\", \"local\"")) << text;
  }
  using namespace std::string_literals;
  EXPECT_THAT(error_of("10.1.2.3\0x"s), testing::HasSubstr("must be \"*\""));
  for (const char* text :
       {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8"}) {
    EXPECT_EQ(error_of(text), "the number behind the '/' must be from 0 to 32") << text;
  }
  EXPECT_EQ(error_of("::/129"), "the number behind the '/' must be from 0 to 128");
  for (const char* text : {"10.1.2.3/8", "10.128.0.0/8", "2001:db8::1/32", "0.0.0.1/0"}) {
    EXPECT_THAT(error_of(text), testing::HasSubstr("has bits behind its prefix")) << text;
  }
}

// Beside a model that knows IPv4 addresses as numbers.
TEST(ClientPattern, fits_as_numbers_do) {
  std::mt19937 random(24);
  const auto below = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const auto text_of = [](std::uint32_t number) {
    const in_addr address{.s_addr = htonl(number)};
    return std::string(inet_ntoa(address));
  };
  int inside = 0;
  for (int round = 0; round < 5000; ++round) {
    const unsigned prefix = below(33);
    const std::uint32_t mask = prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
    const auto base = static_cast<std::uint32_t>(random()) & mask;
    const std::uint32_t flipped = base ^ (std::uint32_t{1} << below(32));
    const bool is_inside = (flipped & mask) == base;
    inside += is_inside ? 1 : 0;
    const std::string pattern = text_of(base) + "/" + std::to_string(prefix);
    EXPECT_EQ(fits(pattern, text_of(flipped)), is_inside) << pattern << " " << text_of(flipped);
    EXPECT_EQ(fits(pattern, "::ffff:" + text_of(flipped)), is_inside) << pattern;
    EXPECT_TRUE(fits(pattern, text_of(base))) << pattern;
  }
  EXPECT_GT(inside, 1000);
  EXPECT_LT(inside, 4000);
}

}  // namespace
}  // namespace helios::config
