// SPDX-License-Identifier: Apache-2.0
//
// Addresses as people write them, good and bad.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::config {
namespace {

TEST(Address, literals_with_port_are_accepted) {
  EXPECT_EQ(*parse_address("127.0.0.1:6432"), (Address{"127.0.0.1", 6432}));
  EXPECT_EQ(*parse_address("[::1]:9090"), (Address{"::1", 9090}));
  EXPECT_EQ(*parse_address("0.0.0.0:0"), (Address{"0.0.0.0", 0}));
}

TEST(Address, anything_else_is_refused) {
  for (const auto* text : {"", ":", "6432", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "::1:6432",
                           "127.0.0.1:65536", "127.0.0.1:-1", "[127.0.0.1]:1", "localhost:6432",
                           "[::1]6432", "[::1:6432", "127.0.0.1 :6432", "127.0.0.1:6432 "}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_FALSE(parse_address(std::string_view("127.0.0.1\0x:1", 13)));
}

TEST(Address, to_string_gives_what_parse_address_takes) {
  for (const auto* text : {"127.0.0.1:6432", "[::1]:9090"}) {
    EXPECT_EQ(to_string(*parse_address(text)), text);
  }
}

TEST(Address, loopback_is_127_slash_8_and_colon_colon_1) {
  EXPECT_TRUE(is_loopback({"127.0.0.1", 1}));
  EXPECT_TRUE(is_loopback({"127.9.9.9", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
  EXPECT_FALSE(is_loopback({"10.0.0.1", 1}));
}

TEST(ServerWord, host_and_port_are_split) {
  const auto is = [](std::string_view text, std::string_view host, int port) {
    const auto server = parse_server(text);
    return server && server->host == host && server->port == port;
  };
  EXPECT_TRUE(is("10.0.0.1:5433", "10.0.0.1", 5433));
  EXPECT_TRUE(is("10.0.0.1", "10.0.0.1", 5432));
  EXPECT_TRUE(is("localhost:5433", "localhost", 5433));
  EXPECT_TRUE(is("[::1]:5433", "::1", 5433));
  EXPECT_TRUE(is("[::1]", "::1", 5432));
  EXPECT_TRUE(is("/tmp:5433", "/tmp", 5433));
  EXPECT_TRUE(is("/tmp", "/tmp", 5432));
}

TEST(ServerWord, anything_else_is_refused) {
  for (const auto* text :
       {"", ":5432", "::1", "127.0.0.1:0", "127.0.0.1:x", "[127.0.0.1]:5432", "[/tmp]"}) {
    EXPECT_FALSE(parse_server(text)) << text;
  }
}

TEST(ServerHost, literals_localhost_and_folders_are_accepted) {
  for (const auto* host : {"127.0.0.1", "::1", "localhost", "/var/run/postgresql"}) {
    EXPECT_TRUE(check_server_host(host)) << host;
  }
}

TEST(ServerHost, names_of_dns_are_names) {
  const std::string longest(63, 'x');
  for (const auto& host :
       {std::string("db"), std::string("db.example.com."), std::string("my-db_1.svc"),
        std::string("1password.example"), std::string("3a"), longest + ".example"}) {
    EXPECT_TRUE(check_server_host(host)) << host;
    EXPECT_TRUE(is_dns_name(host)) << host;
  }
  for (const std::string host : {"localhost", "127.0.0.1", "::1", "/tmp"})
    EXPECT_FALSE(is_dns_name(host)) << host;
  for (const std::string host : {".", "a..b", ".a", "-a", "a b", "a:b", "a/b", "256.1.1.1",
                                 "10.0.0", "1", "db.example.1", "g\u00fcnther.example"})
    EXPECT_FALSE(check_server_host(host)) << host;
  EXPECT_FALSE(check_server_host(std::string(64, 'x') + ".example"));
  std::string long_name = "x";
  for (int i = 0; i < 126; ++i) long_name += ".x";
  EXPECT_TRUE(check_server_host(long_name));
  EXPECT_FALSE(check_server_host(long_name + ".x"));
}

TEST(ServerHost, long_folders_are_refused) {
  EXPECT_FALSE(check_server_host(""));
  EXPECT_FALSE(check_server_host("/" + std::string(92, 'x')));
  EXPECT_TRUE(check_server_host("/" + std::string(91, 'x')));
}

}  // namespace
}  // namespace helios::config
