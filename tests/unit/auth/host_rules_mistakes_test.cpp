// SPDX-License-Identifier: Apache-2.0
//
// Every mistake in pg_hba.conf is named with its place, and so is what PostgreSQL knows and the proxy does not.

#include "auth/host_rules.hpp"
#include "memory_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace helios::auth {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string errors_of(const std::string& text, MemoryFiles files = {{}}) {
  files.texts["f"] = text;
  const auto rules = HostRules::read("f", files.reader());
  return rules ? "no error" : rules.error().message;
}

struct Case {
  const char* line;
  const char* error;  // how it begins
};

void expect_errors(std::initializer_list<Case> cases) {
  for (const auto& each : cases)
    EXPECT_THAT(errors_of(each.line), StartsWith(each.error)) << each.line;
}

TEST(HostRulesMistakes, types) {
  expect_errors({
      {" Host all all all trust", "f:1:2: \"Host\" is no type: must be one of local, host, "},
      {"hostgssenc all all all trust", "f:1:1: hostgssenc is not supported: "},
      {"local,host all all trust", "f:1:7: a list cannot stand for the type"},
      {"\x1b[2J all all trust", "f:1:1: \"\\x1b[2J\" is no type"},
  });
}

TEST(HostRulesMistakes, databases_and_users) {
  const char* membership = "the proxy does not know who is a member of a role";
  for (const char* word : {"samerole", "samegroup", "+staff"}) {
    const std::string line = std::string("local a,") + word + " all trust";
    EXPECT_THAT(errors_of(line), AllOf(StartsWith("f:1:9: \""), HasSubstr(membership))) << line;
  }
  EXPECT_THAT(errors_of("local all +staff trust"),
              AllOf(StartsWith("f:1:11: \"+staff\": "), HasSubstr(membership)));
  EXPECT_EQ(errors_of("local all samerole trust"), "no error") << "no keyword for users";
  expect_errors({
      {"local /^db all trust",
       "f:1:7: regular expressions are not supported here: write the names"},
      {"local \"/^db\" all trust", "f:1:7: regular expressions are not supported here"},
      {"local all a,/^b trust", "f:1:13: regular expressions are not supported here"},
      {"local all \"\" trust", "f:1:11: a name cannot be empty"},
  });
}

TEST(HostRulesMistakes, addresses) {
  expect_errors({
      {"host all all db.example.com trust",
       "f:1:14: \"db.example.com\" is no IP address, and host names are not supported here: write "
       "an address"},
      {"host all all .example.com trust", "f:1:14: \".example.com\" is no IP address"},
      {"host all all \"all\" trust", "f:1:14: \"all\" is no IP address"},
      {"host all all samehost trust", "f:1:14: samehost is not supported: write the addresses"},
      {"host all all samenet trust", "f:1:14: samenet is not supported"},
      {"host all all 10.0.0.0/33 trust", "f:1:14: the number behind the '/' must be from 0 to 32"},
      {"host all all ::/129 trust", "f:1:14: the number behind the '/' must be from 0 to 128"},
      {"host all all 10.0.0.1 trust", "f:1:14: a mask is missing: write 10.0.0.1/32"},
      {"host all all 10.0.0.1 ident", "f:1:14: a mask is missing"},
      {"host all all 10.0.0.1 x trust", "f:1:23: \"x\" is no mask for an IPv4 address"},
      {"host all all 10.0.0.1 ffff:: trust", "f:1:23: \"ffff::\" is no mask for an IPv4 address"},
      {"host all all ::1 255.0.0.0 trust", "f:1:18: \"255.0.0.0\" is no mask for an IPv6 address"},
      {"host all all ::ffff:1.2.3.4/128 trust", "f:1:14: \"::ffff:1.2.3.4\" would never fit"},
      {"host all all ::ffff:1.2.3.4 x trust", "f:1:14: \"::ffff:1.2.3.4\" would never fit"},
      {"host all all 10.0.0.0/8,11.0.0.0/8 trust", "f:1:25: a list cannot stand for the address"},
  });
}

TEST(HostRulesMistakes, methods) {
  for (const char* method :
       {"gss", "sspi", "ident", "ldap", "radius", "pam", "bsd", "oauth", "krb5"}) {
    const std::string line = std::string("host all all all ") + method + " x=y z";
    EXPECT_EQ(errors_of(line), "f:1:18: method " + std::string(method) +
                                   " is not supported: must be one of trust, reject, password, "
                                   "md5, scram-sha-256, cert, peer, passthrough");
  }
  expect_errors({
      {"local all all Trust", "f:1:15: \"Trust\" is no method: must be one of trust, "},
      {"local all all trust,md5", "f:1:21: a list cannot stand for the method"},
      {"host all all all peer", "f:1:18: method peer is for local only"},
      {"hostssl all all all peer", "f:1:21: method peer is for local only"},
      {"host all all all cert", "f:1:18: method cert is for hostssl only"},
      {"hostnossl all all all cert", "f:1:23: method cert is for hostssl only"},
      {"local all all cert", "f:1:15: method cert is for hostssl only"},
  });
}

TEST(HostRulesMistakes, options) {
  expect_errors({
      {"local all all trust x", "f:1:21: \"x\": an option must be written as name=value"},
      {"local all all peer map = m", "f:1:20: \"map\": an option must be written as name=value"},
      {"local all all peer map=", "f:1:20: map must name a map of pg_ident.conf"},
      {"local all all peer map=a map=b", "f:1:26: option \"map\" is there twice"},
      {"local all all md5 map=a", "f:1:19: map is for the methods peer and cert only"},
      {"local all all md5 ldapserver=a",
       "f:1:19: option \"ldapserver\" is not supported with method md5"},
      {"hostssl all all all cert MAP=a",
       "f:1:26: option \"MAP\" is not supported with method cert"},
      {"hostssl all all all md5 =a", "f:1:25: option \"\" is not supported"},
      {"host all all all md5 clientcert=verify-ca", "f:1:22: clientcert is for hostssl only"},
      {"local all all md5 clientcert=verify-full", "f:1:19: clientcert is for hostssl only"},
      {"hostssl all all all md5 clientcert=1",
       "f:1:25: clientcert must be verify-ca or verify-full"},
      {"hostssl all all all md5 clientcert=",
       "f:1:25: clientcert must be verify-ca or verify-full"},
      {"hostssl all all all cert clientcert=verify-ca", "f:1:26: method cert compares names"},
      {"host all all all md5 clientname=CN", "f:1:22: clientname is for hostssl only"},
      {"hostssl all all all cert clientname=cn", "f:1:26: clientname must be CN or DN"},
      {"hostssl all all all md5 clientname=DN", "f:1:25: clientname does nothing here"},
      {"hostssl all all all md5 clientname=DN clientcert=verify-ca",
       "f:1:25: clientname does nothing here"},
  });
}

TEST(HostRulesMistakes, line_that_ends_too_early) {
  expect_errors({
      {"local", "f:1:6: the line ends before the databases"},
      {"local all # x", "f:1:10: the line ends before the users"},
      {"local all all", "f:1:14: the line ends before the method"},
      {"host all all", "f:1:13: the line ends before the address"},
      {"host all all all", "f:1:17: the line ends before the method"},
      {"host all all 10.0.0.0/8", "f:1:24: the line ends before the method"},
      {"host all all \\\n10.0.0.0 255.0.0.0", "f:2:19: the line ends before the method"},
  });
  EXPECT_THAT(errors_of("host"), Not(HasSubstr("\n"))) << "said once";
}

TEST(HostRulesMistakes, quotes_and_zero_bytes) {
  using namespace std::string_literals;
  expect_errors({{"local \"all all trust", "f:1:7: this quote is not closed"}});
  EXPECT_THAT(errors_of("local all all trust\0 x"s), StartsWith("f:1:20: a zero byte"));
}

TEST(HostRulesMistakes, file_without_rules) {
  EXPECT_EQ(errors_of(""), "f:1:1: the file has no rules: nobody could log in");
  EXPECT_EQ(errors_of("# local all all trust\n"),
            "f:1:1: the file has no rules: nobody could log in");
}

TEST(HostRulesMistakes, file_that_is_not_there) {
  const MemoryFiles none{{}};
  const auto rules = HostRules::read("f", none.reader());
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, base::Errc::not_found);
}

TEST(HostRulesMistakes, all_of_them_are_reported_also_in_one_line) {
  EXPECT_EQ(errors_of("host /a +b c d\nlocal all all trust\nlocal @x all ident\ninclude g\n",
                      {{{"g", "\n\nlocal all all gss\n"}}}),
            "f:1:6: regular expressions are not supported here: write the names\n"
            "f:1:9: \"+b\": the proxy does not know who is a member of a role: write the names, or "
            "quote it if it is a name itself\n"
            "f:1:12: \"c\" is no IP address, and host names are not supported here: write an "
            "address, such as 10.1.2.3/32 or 2001:db8::1/128\n"
            "f:1:14: \"d\" is no method: must be one of trust, reject, password, md5, "
            "scram-sha-256, cert, peer, passthrough\n"
            "f:3:7: cannot be included: x: is not there\n"
            "f:3:14: method ident is not supported: must be one of trust, reject, password, md5, "
            "scram-sha-256, cert, peer, passthrough\n"
            "g:3:15: method gss is not supported: must be one of trust, reject, password, md5, "
            "scram-sha-256, cert, peer, passthrough");
}

TEST(HostRulesMistakes, fifty_are_shown_and_the_others_counted) {
  std::string text;
  for (int i = 0; i < 53; ++i) text += "x\n";
  const auto errors = errors_of(text);
  EXPECT_EQ(std::ranges::count(errors, '\n'), 49);
  EXPECT_THAT(errors, AllOf(HasSubstr("\nf:50:1: "), EndsWith(" (and 3 more problems)")));
}

TEST(HostRulesMistakes, mistake_in_a_list_is_named_where_it_stands_and_once) {
  EXPECT_EQ(errors_of("local all @l trust\nlocal a @l trust\n", {{{"l", "a\n b, /c\n"}}}),
            "l:2:5: regular expressions are not supported here: write the names");
}

// Example 21.1 of the manual: the records that ask for what is not supported here.
TEST(HostRulesMistakes, example_of_the_manual_is_told_what_is_not_supported) {
  const auto errors = errors_of(
      "host    all             all             localhost               trust\n"
      "local   \"/^db\\d{2,4}$\" all                                     trust\n"
      "host    postgres        all             192.168.93.0/24         ident\n"
      "host    all             mike            .example.com            md5\n"
      "hostgssenc all          all             0.0.0.0/0               gss\n"
      "host    all             all             192.168.12.10/32        gss\n"
      "host    all             all             192.168.0.0/16          ident map=omicron\n"
      "local   all             /^.*helpdesk$                           md5\n"
      "local   all             +support                                md5\n"
      "local   all             @admins,+support                        md5\n",
      {{{"admins", "root\n"}}});
  EXPECT_EQ(std::ranges::count(errors, '\n'), 9);
  for (const char* place :
       {"f:1:41: \"localhost\" is no IP", "f:2:9: regular", "f:3:65: method ident",
        "f:4:41: \".example.com\"", "f:5:1: hostgssenc", "f:6:65: method gss",
        "f:7:65: method ident", "f:8:25: regular", "f:9:25: \"+support\"", "f:10:33: \"+support\""})
    EXPECT_THAT(errors, HasSubstr(place));
}

}  // namespace
}  // namespace helios::auth
