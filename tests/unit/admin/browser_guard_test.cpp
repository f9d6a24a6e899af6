// SPDX-License-Identifier: Apache-2.0
// Requests as browsers send them on behalf of foreign pages are refused; those of curl and of pages
// of the server itself pass.

#include "admin/browser_guard.hpp"

#include <gtest/gtest.h>

namespace helios::admin {
namespace {

Request request_with(Method method, std::optional<std::string> host,
                     std::optional<std::string> origin = {}, std::optional<std::string> site = {}) {
  Request request;
  request.method = method;
  request.host = std::move(host);
  request.origin = std::move(origin);
  request.sec_fetch_site = std::move(site);
  return request;
}

bool passes(const Request& request) {
  const auto refusal = refuse_browser_attack(request);
  if (refusal) {
    EXPECT_EQ(refusal->status, 403);
    EXPECT_NE(refusal->body.find("\"error\""), std::string::npos);
  }
  return !refusal;
}

TEST(LoopbackHost, own_names_and_addresses_are_recognised) {
  for (const char* host :
       {"localhost", "localhost:9090", "LocalHost:1", "127.0.0.1", "127.0.0.1:9090",
        "127.8.9.10:80", "[::1]", "[::1]:9090", "[0:0:0:0:0:0:0:1]:9090", "localhost:"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
}

TEST(LoopbackHost, other_names_are_not) {
  for (const char* host : {"",
                           "example.com",
                           "example.com:9090",
                           "localhost.example.com",
                           "127.0.0.1.example.com",
                           "xlocalhost",
                           "192.168.0.1",
                           "0.0.0.0:9090",
                           "[::2]:9090",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[::1]9",
                           "[localhost]",
                           "[127.0.0.1]",
                           "localhost:90x",
                           "localhost:123456",
                           "localhost:1:2",
                           ":9090",
                           "127.1",
                           "2130706433",
                           "user@localhost",
                           "localhost "})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(BrowserGuard, curl_passes) {
  EXPECT_TRUE(passes(request_with(Method::put, "localhost:9090")));
  EXPECT_TRUE(passes(request_with(Method::get, std::nullopt)));
  EXPECT_TRUE(passes(request_with(Method::post, "[::1]:9090")));
}

TEST(BrowserGuard, rebound_name_is_refused_for_every_method) {
  for (const Method method : {Method::get, Method::head, Method::put, Method::post, Method::del})
    EXPECT_FALSE(passes(request_with(method, "attacker.example:9090")));
}

TEST(BrowserGuard, write_from_another_site_is_refused) {
  for (const Method method : {Method::put, Method::post, Method::del, Method::other}) {
    EXPECT_FALSE(passes(request_with(method, "localhost:9090", "https://attacker.example")));
    EXPECT_FALSE(passes(request_with(method, "localhost:9090", "null")));
    EXPECT_FALSE(passes(request_with(method, "localhost:9090", "http://localhost:3000")));
    EXPECT_FALSE(passes(request_with(method, "localhost:9090", std::nullopt, "cross-site")));
    EXPECT_FALSE(passes(request_with(method, "localhost:9090", std::nullopt, "same-site")));
    EXPECT_FALSE(
        passes(request_with(method, "localhost:9090", "http://localhost:9090", "cross-site")));
    EXPECT_FALSE(passes(request_with(method, std::nullopt, "http://localhost:9090")));
  }
}

TEST(BrowserGuard, write_from_the_servers_own_page_passes) {
  EXPECT_TRUE(
      passes(request_with(Method::put, "localhost:9090", "http://localhost:9090", "same-origin")));
  EXPECT_TRUE(passes(request_with(Method::del, "[::1]:9090", "http://[::1]:9090")));
  EXPECT_TRUE(passes(request_with(Method::post, "localhost:9090", std::nullopt, "none")));
}

TEST(BrowserGuard, page_of_a_server_with_tls_is_https) {
  Request own = request_with(Method::put, "localhost:9090", "https://localhost:9090");
  EXPECT_FALSE(passes(own));
  own.is_encrypted = true;
  EXPECT_TRUE(passes(own));
  own.origin = "http://localhost:9090";
  EXPECT_FALSE(passes(own));
}

TEST(BrowserGuard, read_from_another_site_passes) {
  EXPECT_TRUE(passes(
      request_with(Method::get, "localhost:9090", "https://attacker.example", "cross-site")));
}

}  // namespace
}  // namespace helios::admin
