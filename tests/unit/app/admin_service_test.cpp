// SPDX-License-Identifier: Apache-2.0
//
// What has to be there before the admin interface serves: a reload that would leave an address beyond
// loopback without tokens is refused, although the file that it comes from is fine by itself.

#include "app/admin_service.hpp"

#include <gtest/gtest.h>

namespace helios::app {
namespace {

TEST(AdminService, addresses_that_stay_are_not_left_without_tokens) {
  config::Admin admin;
  admin.addresses = {{"0.0.0.0", 9090}};
  admin.origin = "h.toml:2: admin.addresses";
  const auto access = AdminService::load(admin);
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().message,
            "h.toml:2: admin.addresses: 0.0.0.0:9090: an address beyond loopback needs "
            "[[admin.tokens]]");
}

TEST(AdminService, files_that_are_missing_are_named) {
  config::Admin admin;
  admin.tls.certificate = "/nowhere/c.pem";
  admin.tls.certificate_origin = "h.toml:3: admin.tls_certificate";
  admin.tls.key = "/nowhere/k.pem";
  EXPECT_EQ(AdminService::load(admin).error().message,
            "h.toml:3: admin.tls_certificate: /nowhere/c.pem: cannot be opened: No such file or "
            "directory");
  config::Admin with_token;
  with_token.tokens.resize(1);
  with_token.tokens[0].file = "/nowhere/token";
  with_token.tokens[0].origin = "h.toml:4: admin.tokens.name";
  EXPECT_EQ(AdminService::load(with_token).error().message,
            "h.toml:4: admin.tokens.name: /nowhere/token: cannot be opened: No such file or "
            "directory");
}

}  // namespace
}  // namespace helios::app
