// SPDX-License-Identifier: Apache-2.0
// Whose connections are counted together.

#include "admin/http/endpoints.hpp"

#include <gtest/gtest.h>

namespace helios::admin::http {
namespace {

boost::asio::ip::address address(const char* text) { return boost::asio::ip::make_address(text); }

TEST(PeerCounts, each_address_has_its_own_places) {
  PeerCounts counts;
  EXPECT_TRUE(counts.add(address("192.0.2.1"), 2));
  EXPECT_TRUE(counts.add(address("192.0.2.1"), 2));
  EXPECT_FALSE(counts.add(address("192.0.2.1"), 2));
  EXPECT_TRUE(counts.add(address("192.0.2.2"), 2));
  counts.remove(address("192.0.2.1"));
  EXPECT_TRUE(counts.add(address("192.0.2.1"), 2));
  EXPECT_FALSE(counts.add(address("192.0.2.1"), 2));
}

TEST(PeerCounts, addresses_of_one_ipv6_network_share_places) {
  PeerCounts counts;
  EXPECT_TRUE(counts.add(address("2001:db8:0:1::1"), 1));
  EXPECT_FALSE(counts.add(address("2001:db8:0:1:ffff::2"), 1));
  EXPECT_TRUE(counts.add(address("2001:db8:0:2::1"), 1));
  counts.remove(address("2001:db8:0:1::3"));
  EXPECT_TRUE(counts.add(address("2001:db8:0:1::2"), 1));
}

TEST(Endpoint, text_is_address_and_port) {
  EXPECT_EQ(to_text({address("127.0.0.1"), 80}), "127.0.0.1:80");
  EXPECT_EQ(to_text({address("::1"), 80}), "[::1]:80");
}

}  // namespace
}  // namespace helios::admin::http
