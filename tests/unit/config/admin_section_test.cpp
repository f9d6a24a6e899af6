// SPDX-License-Identifier: Apache-2.0
//
// [admin]: who may use the interface and how. Every way in which it would be open by accident is an error.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kHash = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";
const std::string kToken =
    "[[admin.tokens]]\nname = \"a\"\nsha256 = \"" + kHash + "\"\nscopes = [\"read\"]\n";

std::string error_of(const std::string& text) {
  auto config = parse_config(text, "h.toml");
  return config ? "no error" : config.error().message;
}

TEST(AdminSection, every_key_arrives) {
  const auto config = parse_config(R"(
    [admin]
    addresses = ["0.0.0.0:9090"]
    tls_certificate = "c.pem"
    tls_key = "k.pem"
    allow_plaintext = true
    [admin.limits]
    max_body_bytes = 1
    max_header_bytes = 1024
    max_connections = 2
    max_peer_connections = 3
    handshake_timeout_ms = 4
    request_timeout_ms = 5
    response_timeout_ms = 6
    idle_timeout_ms = 7
    [[admin.tokens]]
    name = "ci"
    file = "ci.token"
    scopes = ["read", "write"]
    namespaces = ["cost-governor"]
    [[admin.tokens]]
    name = "prometheus"
    sha256 = "3EB1BD439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"
    scopes = ["read"]
  )",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  const Admin& admin = config->admin;
  EXPECT_THAT(admin.addresses, ElementsAre(Address{"0.0.0.0", 9090}));
  EXPECT_EQ(admin.tls.certificate, "c.pem");
  EXPECT_EQ(admin.tls.certificate_origin, "h.toml:4: admin.tls_certificate");
  EXPECT_EQ(admin.tls.key, "k.pem");
  EXPECT_EQ(admin.tls.key_origin, "h.toml:5: admin.tls_key");
  EXPECT_TRUE(admin.allow_plaintext);
  EXPECT_EQ(admin.limits.max_body_bytes, 1U);
  EXPECT_EQ(admin.limits.max_header_bytes, 1024U);
  EXPECT_EQ(admin.limits.max_connections, 2U);
  EXPECT_EQ(admin.limits.max_peer_connections, 3U);
  EXPECT_EQ(admin.limits.handshake_timeout_ms, 4U);
  EXPECT_EQ(admin.limits.request_timeout_ms, 5U);
  EXPECT_EQ(admin.limits.response_timeout_ms, 6U);
  EXPECT_EQ(admin.limits.idle_timeout_ms, 7U);
  ASSERT_EQ(admin.tokens.size(), 2U);
  EXPECT_EQ(admin.tokens[0].name, "ci");
  EXPECT_EQ(admin.tokens[0].file, "ci.token");
  EXPECT_TRUE(admin.tokens[0].may_read && admin.tokens[0].may_write);
  EXPECT_THAT(admin.tokens[0].namespaces, ElementsAre("cost-governor"));
  EXPECT_EQ(admin.tokens[0].origin, "h.toml:17: admin.tokens.name");
  EXPECT_EQ(admin.tokens[1].sha256, kHash) << "in lower case";
  EXPECT_FALSE(admin.tokens[1].may_write);
  EXPECT_TRUE(admin.tokens[1].namespaces.empty());
}

TEST(AdminSection, address_beyond_loopback_needs_tokens_and_tls_or_a_word) {
  const std::string open = "[admin]\naddresses = [\"127.0.0.1:1\", \"0.0.0.0:9090\"]\n";
  EXPECT_EQ(error_of(open),
            "h.toml:2: admin.addresses: 0.0.0.0:9090: an address beyond loopback needs "
            "[[admin.tokens]]");
  EXPECT_EQ(error_of(open + "allow_plaintext = true\n"), error_of(open));
  EXPECT_EQ(error_of(open + kToken),
            "h.toml:2: admin.addresses: 0.0.0.0:9090: tokens would cross the network in clear: "
            "needs tls_certificate and tls_key, or allow_plaintext = true");
  EXPECT_EQ(error_of(open + "allow_plaintext = true\n" + kToken), "no error");
  EXPECT_EQ(error_of(open + "tls_certificate = \"c\"\ntls_key = \"k\"\n" + kToken), "no error");
  EXPECT_EQ(error_of("[admin]\naddresses = [\"127.0.0.1:1\", \"[::1]:1\"]\n"), "no error");
}

struct BadToken {
  std::string keys;
  const char* message;
};

TEST(AdminSection, wrong_tokens_are_named_with_line_and_key) {
  const std::string good_hash = "sha256 = \"" + kHash + "\"\n";
  const std::string read = "scopes = [\"read\"]\n";
  const BadToken cases[] = {
      {good_hash + read, "h.toml:1: admin.tokens: needs a name"},
      {"name = \"\"\n" + good_hash + read, "h.toml:2: admin.tokens.name: must be 1 to 64"},
      {"name = \"a b\"\n" + good_hash + read, "h.toml:2: admin.tokens.name: must be 1 to 64"},
      {"name = \"a\"\n" + read, "h.toml:1: admin.tokens: needs either sha256 or file"},
      {"name = \"a\"\nfile = \"f\"\n" + good_hash + read,
       "h.toml:1: admin.tokens: needs either sha256 or file"},
      {"name = \"a\"\nfile = \"\"\n" + read, "h.toml:3: admin.tokens.file: must not be empty"},
      {"name = \"a\"\nsha256 = \"secret\"\n" + read,
       "h.toml:3: admin.tokens.sha256: must be 64 hex digits"},
      {"name = \"a\"\nsha256 = "
       "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n" +
           read,
       "h.toml:3: admin.tokens.sha256: is the hash of an empty token"},
      {"name = \"a\"\n" + good_hash, "h.toml:1: admin.tokens: needs scopes"},
      {"name = \"a\"\n" + good_hash + "scopes = []\n",
       "h.toml:4: admin.tokens.scopes: must name at least one"},
      {"name = \"a\"\n" + good_hash + "scopes = [\"admin\"]\n",
       "h.toml:4: admin.tokens.scopes: admin: must be \"read\" or \"write\""},
      {"name = \"a\"\n" + good_hash + read + "namespaces = []\n",
       "h.toml:5: admin.tokens.namespaces: must name at least one"},
      {"name = \"a\"\n" + good_hash + read + "token = \"x\"\n",
       "h.toml:5: admin.tokens.token: unknown key"},
  };
  for (const auto& each : cases)
    EXPECT_THAT(error_of("[[admin.tokens]]\n" + each.keys), HasSubstr(each.message)) << each.keys;
  EXPECT_THAT(error_of(kToken + kToken),
              HasSubstr("admin.tokens.name: another token has that name"));
}

TEST(AdminSection, certificate_and_key_go_together) {
  EXPECT_EQ(error_of("[admin]\ntls_certificate = \"c\"\n"),
            "h.toml:2: admin.tls_certificate: tls_certificate and tls_key go together");
  EXPECT_EQ(error_of("[admin]\ntls_key = \"c\"\n"),
            "h.toml:2: admin.tls_key: tls_certificate and tls_key go together");
}

TEST(AdminSection, limits_have_ranges) {
  EXPECT_THAT(error_of("[admin.limits]\nmax_connections = 0\n"),
              HasSubstr("h.toml:2: admin.limits.max_connections: must be from 1 to 10000"));
  EXPECT_THAT(error_of("[admin.limits]\nidle_timeout_ms = 0\n"), HasSubstr("must be from 1 to"));
}

}  // namespace
}  // namespace helios::config
