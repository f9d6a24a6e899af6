// SPDX-License-Identifier: Apache-2.0
//
// Goal: what rules make of a login is decided in one place, in PostgreSQL's order.

#include "auth/login_decision.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace helios::auth {
namespace {

using Kind = LoginDecision::Kind;

class Decision : public ::testing::Test {
 protected:
  // Of a login by the first line that fits.
  LoginDecision decide_by(const std::string& lines, Claim claim) {
    const test::TemporaryFolder folder;
    config::Auth settings;
    settings.hba_file = folder.path() + "/hba";
    settings.ident_file = folder.path() + "/ident";
    settings.user_file = folder.path() + "/users";
    std::ofstream(settings.hba_file) << lines << "\n";
    std::ofstream(settings.ident_file) << "m root ann\n";
    std::ofstream(settings.user_file) << "\"ann\" \"secret\"\n";
    std::filesystem::permissions(settings.user_file, std::filesystem::perms::owner_read);
    auto loaded = LoginRules::load(settings, "secret");
    EXPECT_TRUE(loaded) << loaded.error().message;
    rules_ = *std::move(loaded);
    return decide(*rules_, claim);
  }
  Kind kind_by(const std::string& lines, Claim claim) { return decide_by(lines, claim).kind; }

  const Claim by_tcp_{.login = {.address = "10.1.2.3", .user = "ann", .database = "shop"}};
  const Claim by_tls_{
      .login = {.is_encrypted = true, .address = "10.1.2.3", .user = "ann", .database = "shop"}};
  const Claim by_socket_{.login = {.is_unix = true, .user = "ann", .database = "shop"}};
  SharedLoginRules rules_;
};

TEST_F(Decision, method_of_the_rule_that_fits) {
  EXPECT_EQ(kind_by("host all all all trust", by_tcp_), Kind::let_in);
  EXPECT_EQ(kind_by("host all all all passthrough", by_tcp_), Kind::server_asks);
  EXPECT_EQ(kind_by("host all all all reject", by_tcp_), Kind::rejected);
  EXPECT_EQ(kind_by("host all bob all trust", by_tcp_), Kind::no_rule);
  EXPECT_EQ(kind_by("hostssl all all all trust", by_tcp_), Kind::no_rule);
  const auto scram = decide_by("host all all all scram-sha-256", by_tcp_);
  EXPECT_EQ(scram.kind, Kind::ask);
  EXPECT_EQ(scram.challenge, Challenge::Method::scram);
  EXPECT_EQ(decide_by("host all all all md5", by_tcp_).challenge, Challenge::Method::md5);
}

TEST_F(Decision, password_is_not_shown_to_everybody) {
  EXPECT_EQ(kind_by("host all all all password", by_tcp_), Kind::password_in_clear);
  EXPECT_EQ(kind_by("host all all all password", by_tls_), Kind::ask);
  EXPECT_EQ(kind_by("local all all password", by_socket_), Kind::ask);
  Claim allowed = by_tcp_;
  allowed.may_show_password = true;
  EXPECT_EQ(kind_by("host all all all password", allowed), Kind::ask);
}

TEST_F(Decision, os_user_has_to_be_known_and_to_fit) {
  Claim claim = by_socket_;
  EXPECT_EQ(kind_by("local all all peer", claim), Kind::other_os_user);
  claim.os_user = "ann";
  EXPECT_EQ(kind_by("local all all peer", claim), Kind::let_in);
  EXPECT_EQ(kind_by("local all all peer map=m", claim), Kind::other_os_user);
  claim.os_user = "root";
  EXPECT_EQ(kind_by("local all all peer map=m", claim), Kind::let_in);
}

TEST_F(Decision, certificate_that_is_asked_for) {
  Claim claim = by_tls_;
  EXPECT_EQ(kind_by("hostssl all all all cert", claim), Kind::no_certificate);
  EXPECT_EQ(kind_by("hostssl all all all reject clientcert=verify-ca", claim),
            Kind::no_certificate);
  claim.certificate = {"bob", "CN=bob"};
  EXPECT_EQ(kind_by("hostssl all all all trust clientcert=verify-ca", claim), Kind::let_in);
  EXPECT_EQ(kind_by("hostssl all all all cert", claim), Kind::other_certificate);
  EXPECT_EQ(kind_by("hostssl all all all passthrough clientcert=verify-full", claim),
            Kind::other_certificate);
  // Behind the proof.
  const auto asked = decide_by("hostssl all all all scram-sha-256 clientcert=verify-full", claim);
  EXPECT_EQ(asked.kind, Kind::ask);
  EXPECT_FALSE(asked.has_his_certificate);
  EXPECT_EQ(asked.certificate_name, "bob");
  claim.certificate = {"ann", "CN=ann"};
  EXPECT_EQ(kind_by("hostssl all all all cert", claim), Kind::let_in);
  EXPECT_EQ(kind_by("hostssl all all all cert clientname=DN", claim), Kind::other_certificate);
}

TEST(Provable, by_what_is_known_of_the_user) {
  using Method = Challenge::Method;
  const StoredSecret hash = Md5Hash{SecretText("md5d41d8cd98f00b204e9800998ecf8427e")};
  const StoredSecret verifier = make_verifier("secret", "salt", 2);
  for (const Method method : {Method::password, Method::md5, Method::scram}) {
    EXPECT_FALSE(Challenge::is_provable(method, {}));
    EXPECT_TRUE(Challenge::is_provable(method, verifier));
    EXPECT_EQ(Challenge::is_provable(method, hash), method != Method::scram);
  }
}

}  // namespace
}  // namespace helios::auth
