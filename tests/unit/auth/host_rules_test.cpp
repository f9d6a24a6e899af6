// SPDX-License-Identifier: Apache-2.0
//
// pg_hba.conf: what a rule says, and which login it is for. What is wrong with one is in host_rules_mistakes_test.cpp.

#include "auth/host_rules.hpp"

#include "memory_files.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace helios::auth {
namespace {

using testing::ElementsAre;

std::shared_ptr<const HostRules> rules_of(const std::string& text, MemoryFiles files = {{}}) {
  files.texts["pg_hba.conf"] = text;
  auto rules = HostRules::read("pg_hba.conf", files.reader());
  EXPECT_TRUE(rules) << rules.error().message;
  return rules ? *rules : nullptr;
}

// The first rule of a text.
HostRule rule_of(const std::string& text) {
  const auto rules = rules_of(text);
  return rules ? rules->rules()[0] : HostRule{};
}

bool fits(const std::string& text, const Login& login) {
  const auto rules = rules_of(text);
  return rules && rules->find(login) != nullptr;
}

Login by_unix() { return {.is_unix = true, .user = "alice", .database = "shop"}; }
Login by_tcp() { return {.address = "10.1.2.3", .user = "alice", .database = "shop"}; }
Login by_tls() {
  Login login = by_tcp();
  login.is_encrypted = true;
  return login;
}
Login replicating() {
  Login login = by_tcp();
  login.is_physical_replication = true;
  return login;
}

TEST(HostRules, rule_says_what_its_line_says) {
  const auto rule = rule_of(
      "# who may in\n"
      "  hostssl sameuser,\"a b\" bob,alice 10.0.0.0/8 cert map=m clientname=DN # end\n");
  EXPECT_EQ(rule.place, "pg_hba.conf:2");
  EXPECT_EQ(rule.text,
            "hostssl sameuser,\"a b\" bob,alice 10.0.0.0/8 cert map=m clientname=DN # end");
  EXPECT_EQ(rule.type, ConnectionType::hostssl);
  EXPECT_TRUE(rule.databases.same_user);
  EXPECT_FALSE(rule.databases.replication || rule.databases.names.all);
  EXPECT_THAT(rule.databases.names.names, ElementsAre("a b"));
  EXPECT_FALSE(rule.users.all);
  EXPECT_THAT(rule.users.names, ElementsAre("alice", "bob"));
  EXPECT_EQ(rule.method, Method::cert);
  EXPECT_EQ(rule.map, "m");
  EXPECT_EQ(rule.clientcert, ClientCertificate::verify_full) << "cert has it without a word";
  EXPECT_EQ(rule.clientname, CertificateName::dn);
}

TEST(HostRules, every_method_has_its_word) {
  for (const char* name : {"trust", "reject", "password", "md5", "scram-sha-256", "passthrough"}) {
    EXPECT_EQ(name_of(rule_of(std::string("host all all all ") + name).method), name);
    EXPECT_EQ(name_of(rule_of(std::string("local all all ") + name).method), name);
  }
  EXPECT_EQ(rule_of("local all all peer").method, Method::peer);
  EXPECT_EQ(rule_of("hostssl all all all cert").method, Method::cert);
}

TEST(HostRules, options_say_what_a_certificate_must_have) {
  EXPECT_EQ(rule_of("hostssl all all all md5").clientcert, ClientCertificate::none);
  EXPECT_EQ(rule_of("hostssl all all all md5 clientcert=verify-ca").clientcert,
            ClientCertificate::verify_ca);
  const auto full = rule_of("hostssl all all all trust clientcert=verify-full clientname=DN");
  EXPECT_EQ(full.clientcert, ClientCertificate::verify_full);
  EXPECT_EQ(full.clientname, CertificateName::dn);
  EXPECT_EQ(rule_of("hostssl all all all cert clientname=CN").clientname, CertificateName::cn);
  EXPECT_EQ(rule_of("hostssl all all all cert clientcert=verify-full").clientcert,
            ClientCertificate::verify_full);
  EXPECT_EQ(rule_of("local all all peer map=\"a b\"").map, "a b");
}

TEST(HostRules, type_is_how_the_client_is_connected) {
  struct Case {
    const char* type;
    bool unix, tcp, tls;
  };
  const Case cases[] = {{"host", false, true, true},
                        {"hostssl", false, false, true},
                        {"hostnossl", false, true, false},
                        {"hostnogssenc", false, true, true}};
  EXPECT_TRUE(fits("local all all trust", by_unix()));
  EXPECT_FALSE(fits("local all all trust", by_tcp()));
  EXPECT_FALSE(fits("local all all trust", by_tls()));
  for (const auto& each : cases) {
    const std::string line = std::string(each.type) + " all all all trust";
    EXPECT_EQ(fits(line, by_unix()), each.unix) << line;
    EXPECT_EQ(fits(line, by_tcp()), each.tcp) << line;
    EXPECT_EQ(fits(line, by_tls()), each.tls) << line;
  }
}

TEST(HostRules, databases_are_names_lists_and_keywords) {
  const auto in = [](const std::string& column, std::string_view database) {
    return fits("local " + column + " all trust",
                {.is_unix = true, .user = "alice", .database = database});
  };
  EXPECT_TRUE(in("all", "shop"));
  EXPECT_TRUE(in("shop", "shop"));
  EXPECT_FALSE(in("shop", "Shop")) << "bytes";
  EXPECT_FALSE(in("shop", "shops"));
  EXPECT_TRUE(in("a,shop", "shop"));
  EXPECT_FALSE(in("a,b", "shop"));
  EXPECT_TRUE(in("sameuser", "alice"));
  EXPECT_FALSE(in("sameuser", "shop"));
  EXPECT_TRUE(in("sameuser, shop", "shop"));
  EXPECT_FALSE(in("\"all\"", "shop"));
  EXPECT_TRUE(in("\"all\"", "all"));
  EXPECT_FALSE(in("\"sameuser\"", "alice"));
  EXPECT_TRUE(in("\"sameuser\"", "sameuser"));
  EXPECT_TRUE(in("\"+shop\"", "+shop"));
  EXPECT_TRUE(in("ALL", "ALL")) << "keywords are in lower case";
  EXPECT_FALSE(in("ALL", "shop"));
}

TEST(HostRules, replication_is_for_physical_replication_and_all_is_not) {
  const std::string tail = " all all trust";
  EXPECT_TRUE(fits("host replication" + tail, replicating()));
  EXPECT_FALSE(fits("host replication" + tail, by_tcp()));
  EXPECT_FALSE(fits("host all" + tail, replicating()));
  EXPECT_FALSE(fits("host shop" + tail, replicating())) << "its database does not count";
  EXPECT_TRUE(fits("host all,replication" + tail, replicating()));
  EXPECT_TRUE(fits("host all,replication" + tail, by_tcp()));
  EXPECT_FALSE(fits("host \"replication\"" + tail, replicating()));
  const Login named{.address = "10.1.2.3", .user = "a", .database = "replication"};
  EXPECT_TRUE(fits("host \"replication\"" + tail, named));
  EXPECT_FALSE(fits("host replication" + tail, named));
  Login same = replicating();
  same.database = same.user;
  EXPECT_FALSE(fits("host sameuser" + tail, same));
}

TEST(HostRules, users_are_names_lists_and_all) {
  const auto in = [](const std::string& column, std::string_view user) {
    return fits("local all " + column + " trust",
                {.is_unix = true, .user = user, .database = "shop"});
  };
  EXPECT_TRUE(in("all", "alice"));
  EXPECT_TRUE(in("bob,alice", "alice"));
  EXPECT_FALSE(in("bob,alice", "carol"));
  EXPECT_FALSE(in("alice", "Alice"));
  EXPECT_FALSE(in("\"all\"", "alice"));
  EXPECT_TRUE(in("\"all\"", "all"));
  EXPECT_TRUE(in("\"+staff\"", "+staff"));
  EXPECT_TRUE(in("\"a\"\"b\"", "a\"b"));
  EXPECT_TRUE(in("sameuser", "sameuser")) << "no keyword here";
  EXPECT_FALSE(in("sameuser", "shop"));
}

TEST(HostRules, addresses_are_ranges_and_all) {
  const auto in = [](const std::string& column, std::string_view address) {
    return fits("host all all " + column + " trust",
                {.address = address, .user = "alice", .database = "shop"});
  };
  EXPECT_TRUE(in("all", "10.1.2.3"));
  EXPECT_TRUE(in("all", "2001:db8::1"));
  EXPECT_TRUE(in("10.0.0.0/8", "10.1.2.3"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.1.2.3"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(in("::/0", "::ffff:10.1.2.3"));
  EXPECT_TRUE(in("10.1.2.0 255.255.255.0", "10.1.2.3"));
  EXPECT_FALSE(in("10.1.2.0 255.255.255.0", "10.1.3.3"));
  EXPECT_TRUE(in("2001:db8:: ffff:ffff::", "2001:db8::1"));
}

TEST(HostRules, address_that_is_none_fits_no_rule) {
  for (const char* address : {"", "localhost", "10.1.2", "[::1]"})
    EXPECT_FALSE(fits("host all all all trust", {.address = address, .user = "a", .database = "b"}))
        << address;
}

TEST(HostRules, first_rule_that_fits_decides) {
  const auto rules = rules_of(
      "host all mallory all reject\n"
      "host shop all 10.0.0.0/8 trust\n"
      "host all all 10.0.0.0/8 md5\n");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->rules().size(), 3U);
  EXPECT_EQ(rules->find(by_tcp())->place, "pg_hba.conf:2");
  Login login = by_tcp();
  login.user = "mallory";
  EXPECT_EQ(rules->find(login)->method, Method::reject);
  login = by_tcp();
  login.database = "other";
  EXPECT_EQ(rules->find(login)->place, "pg_hba.conf:3");
  EXPECT_EQ(rules->find(by_unix()), nullptr) << "none: a rejection";
}

TEST(HostRules, files_can_be_included_and_name_themselves) {
  const auto rules = rules_of(
      "local @databases all \\\n"
      "  trust\n"
      "include more\n",
      {{{"databases", "shop\nsameuser"}, {"more", "\nhost all all all md5"}}});
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->find(by_unix())->place, "pg_hba.conf:1");
  EXPECT_EQ(rules->find(by_unix())->text, "local @databases all   trust");
  EXPECT_EQ(rules->find(by_tcp())->place, "more:2");
  EXPECT_TRUE(rules->find({.is_unix = true, .user = "bob", .database = "bob"}));
}

// Example 21.1 of the manual, without the records that ask for what is not supported here.
TEST(HostRules, example_of_the_manual_is_read) {
  const auto rules = rules_of(
      "# TYPE  DATABASE        USER            ADDRESS                 METHOD\n"
      "local   all             all                                     trust\n"
      "host    all             all             127.0.0.1/32            trust\n"
      "host    all             all             127.0.0.1       255.255.255.255     trust\n"
      "host    all             all             ::1/128                 trust\n"
      "host    postgres        all             192.168.12.10/32        scram-sha-256\n"
      "host    all             all             192.168.54.1/32         reject\n"
      "local   sameuser        all                                     md5\n"
      "local   all             @admins                                 md5\n"
      "local   db1,db2,@demodbs  all                                   md5\n",
      {{{"admins", "root\n"}, {"demodbs", "demo1\ndemo2\n"}}});
  ASSERT_TRUE(rules);
  ASSERT_EQ(rules->rules().size(), 9U);
  EXPECT_THAT(rules->rules()[7].users.names, ElementsAre("root"));
  EXPECT_THAT(rules->rules()[8].databases.names.names, ElementsAre("db1", "db2", "demo1", "demo2"));
  const auto place = [&rules](std::string_view address, std::string_view database) {
    const auto* rule = rules->find({.address = address, .user = "u", .database = database});
    return rule == nullptr ? std::string("none") : rule->place;
  };
  EXPECT_EQ(place("127.0.0.1", "x"), "pg_hba.conf:3");
  EXPECT_EQ(place("::1", "x"), "pg_hba.conf:5");
  EXPECT_EQ(place("192.168.12.10", "postgres"), "pg_hba.conf:6");
  EXPECT_EQ(place("192.168.12.10", "x"), "none");
  EXPECT_EQ(place("192.168.54.1", "x"), "pg_hba.conf:7");
}

TEST(HostRules, load_reads_the_file_system) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/pg_hba.conf";
  std::ofstream(path) << "local all @users trust\n";
  std::ofstream(folder.path() + "/users") << "alice\n";
  const auto rules = HostRules::load(path);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ((*rules)->find(by_unix())->place, path + ":1");
}

}  // namespace
}  // namespace helios::auth
