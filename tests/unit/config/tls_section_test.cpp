// SPDX-License-Identifier: Apache-2.0
//
// [tls]: what clients get. Nobody believes to have it who has not: what would be ignored is an error.

#include "config/config.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::config {
namespace {

std::string error_of(const std::string& text) {
  auto config = parse_config(text, "h.toml");
  return config ? "no error" : config.error().message;
}

TEST(TlsSection, every_key_arrives) {
  const auto config = parse_config(R"([tls]
mode = "require"
certificate = "c.pem"
key = "k.pem"
min_version = "1.3"
ciphers = "HIGH"
tls13_ciphers = "TLS_AES_128_GCM_SHA256"
[[tls.certificates]]
certificate = "other.pem"
key = "other.key"
)",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  const Tls& tls = config->tls;
  EXPECT_EQ(tls.mode, TlsMode::require);
  ASSERT_EQ(tls.certificates.size(), 2U);
  EXPECT_EQ(tls.certificates[0].certificate, "c.pem");
  EXPECT_EQ(tls.certificates[0].certificate_origin, "h.toml:3: tls.certificate");
  EXPECT_EQ(tls.certificates[0].key, "k.pem");
  EXPECT_EQ(tls.certificates[0].key_origin, "h.toml:4: tls.key");
  EXPECT_EQ(tls.certificates[1].certificate, "other.pem");
  EXPECT_EQ(tls.certificates[1].key_origin, "h.toml:10: tls.certificates.key");
  EXPECT_EQ(tls.min_version, TlsVersion::tls13);
  EXPECT_EQ(tls.ciphers, "HIGH");
  EXPECT_EQ(tls.ciphers_origin, "h.toml:6: tls.ciphers");
  EXPECT_EQ(tls.tls13_ciphers, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(tls.tls13_ciphers_origin, "h.toml:7: tls.tls13_ciphers");
}

TEST(TlsSection, certificate_alone_offers_it_and_nothing_alone_does_not) {
  EXPECT_EQ(parse_config("", "h.toml")->tls.mode, TlsMode::disable);
  const std::string pair = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";
  EXPECT_EQ(parse_config(pair, "h.toml")->tls.mode, TlsMode::prefer);
  EXPECT_EQ(parse_config(pair + "mode = \"allow\"\n", "h.toml")->tls.mode, TlsMode::prefer);
  EXPECT_EQ(parse_config(pair + "mode = \"disable\"\n", "h.toml")->tls.mode, TlsMode::disable);
}

TEST(TlsSection, what_would_be_no_tls_is_an_error) {
  EXPECT_EQ(error_of("[tls]\nmode = \"require\"\n"),
            "h.toml:2: tls.mode: needs certificate and key");
  EXPECT_EQ(error_of("[tls]\ncertificate = \"c\"\n"),
            "h.toml:2: tls.certificate: certificate and key go together");
  EXPECT_EQ(error_of("[tls]\nkey = \"k\"\n"), "h.toml:2: tls.key: certificate and key go together");
  EXPECT_EQ(error_of("[[tls.certificates]]\ncertificate = \"c\"\nkey = \"k\"\n"),
            "h.toml:1: tls.certificates: needs a first certificate, for everybody: certificate and "
            "key of [tls]");
  EXPECT_EQ(error_of("[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[tls.certificates]]\n"),
            "h.toml:4: tls.certificates: needs certificate and key");
  EXPECT_EQ(error_of("[tls]\nmode = \"on\"\n"),
            "h.toml:2: tls.mode: must be one of \"disable\", \"allow\", \"prefer\", \"require\"");
  EXPECT_EQ(error_of("[tls]\nmin_version = \"1.1\"\n"),
            "h.toml:2: tls.min_version: must be one of \"1.2\", \"1.3\"");
}

}  // namespace
}  // namespace helios::config
