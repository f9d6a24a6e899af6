// SPDX-License-Identifier: Apache-2.0
//
// PgBouncer's auth_file: who stands in it, and that a mistake in it gives no secret away.

#include "auth/user_list.hpp"

#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>

#include <sys/stat.h>

namespace helios::auth {
namespace {

using testing::HasSubstr;
using testing::IsNull;
using testing::Not;
using testing::StartsWith;
using namespace std::string_literals;

std::shared_ptr<const UserList> list_of(std::string_view text) {
  const auto list = UserList::parse(text, "userlist.txt");
  EXPECT_TRUE(list) << list.error().message;
  return list ? *list : std::make_shared<const UserList>();
}

std::string errors_of(std::string_view text) {
  const auto list = UserList::parse(text, "u");
  return list ? "no error" : list.error().message;
}

std::string secret_of(std::string_view text, std::string_view user) {
  const auto list = list_of(text);
  const auto* secret = list->find(user);
  return secret == nullptr ? "nobody" : "=" + secret->text.text();
}

TEST(UserList, user_has_the_secret_of_the_line) {
  const auto list = list_of(
      "; users\n"
      "\"alice\" \"wonder\"\n"
      "\n"
      "# \"mallory\" \"x\"\n"
      "\"bob\"\t \"md50123456789abcdef0123456789abcdef\" ignored \"too\"\r\n"
      "  \"carol\" \"\"");
  EXPECT_EQ(list->size(), 3U);
  EXPECT_EQ(list->find("alice")->text.text(), "wonder");
  EXPECT_EQ(list->find("alice")->kind, SecretKind::plain);
  EXPECT_EQ(list->find("bob")->kind, SecretKind::md5);
  EXPECT_EQ(list->find("carol")->kind, SecretKind::none);
  EXPECT_THAT(list->find("mallory"), IsNull());
  EXPECT_THAT(list->find("Alice"), IsNull());
  EXPECT_THAT(list->find(""), IsNull());
}

TEST(UserList, verifier_as_postgresql_has_it_is_read) {
  const auto list = list_of(
      "\"a\" \"SCRAM-SHA-256$4096:c2FsdA==$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=:"
      "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\"\n");
  ASSERT_TRUE(list->find("a"));
  EXPECT_EQ(list->find("a")->kind, SecretKind::scram_sha_256);
}

TEST(UserList, two_quotes_within_stand_for_one) {
  const std::string text = "\"a\"\"b\" \"c\"\"\"\"d\"\n\"\"\"\" \"\"\"\"\n";
  EXPECT_EQ(secret_of(text, "a\"b"), "=c\"\"d");
  EXPECT_EQ(secret_of(text, "\""), "=\"");
}

TEST(UserList, names_and_secrets_are_bytes) {
  EXPECT_EQ(secret_of("\"\xc3\xa4 ;#,\" \" \xff \\n\"\n", "\xc3\xa4 ;#,"), "= \xff \\n");
}

TEST(UserList, file_without_users_is_fine) { EXPECT_EQ(list_of("")->size(), 0U); }

TEST(UserList, mistakes_are_named_with_their_place) {
  struct Case {
    std::string text;
    const char* error;
  };
  const std::string name63(63, 'n');
  const std::string most(UserList::kMaxSecretBytes, 's');
  const Case cases[] = {
      {"alice \"s\"", "u:1:1: the user's name must stand here, between quotes"},
      {"\n \"\" \"s\"", "u:2:2: the user's name is empty"},
      {"\"a\"", "u:1:4: the secret must stand here, between quotes"},
      {"\"a\" s", "u:1:5: the secret must stand here, between quotes"},
      {"\"a\"\n\"s\"", "u:1:4: the secret must stand here, between quotes\nu:2:4: "},
      {"\"a\" x \"s\"", "u:1:5: the secret must stand here"},
      {"\"a\"\"s\"", "u:1:7: the secret must stand here"},
      {"\"a\" \"s\\\" x\"", "no error"},
      {"\"a", "u:1:1: this quote is not closed"},
      {"\"a\" \"s", "u:1:5: this quote is not closed"},
      {"\"a\" \"s\"\"", "u:1:5: this quote is not closed"},
      {"\"" + name63 + "n\" \"s\"", "u:1:1: the user's name is longer than 63 bytes"},
      {"\"a\" \"" + most + "s\"", "u:1:5: the secret is longer than 2047 bytes"},
      {"\"a\0b\" \"s\""s, "u:1:1: the user's name has a zero byte in it"},
      {"\"a\" \"s\0\""s, "u:1:5: the secret has a zero byte in it"},
      {"\"a\" \"s\"\n\"b\" \"s\"\n\"a\" \"t\"", "u:3:1: this user stands in the file already"},
      {"\"a\" \"SCRAM-SHA-256$x\"", "u:1:5: malformed SCRAM verifier: it must read"},
  };
  for (const auto& each : cases)
    EXPECT_THAT(errors_of(each.text), StartsWith(each.error)) << each.text;
  EXPECT_EQ(errors_of("\"" + name63 + "\" \"" + most + "\""), "no error");
}

TEST(UserList, all_mistakes_are_reported_up_to_fifty) {
  std::string text;
  for (int i = 0; i < 52; ++i) text += "x\n";
  EXPECT_THAT(errors_of(text), HasSubstr("\nu:50:1: "));
  EXPECT_THAT(errors_of(text), HasSubstr("(and 2 more problems)"));
}

TEST(UserList, users_have_a_limit) {
  std::string text;
  for (int i = 0; i < 500'001; ++i) text += "\"" + std::to_string(i) + "\" \"\"\nx";
  std::erase(text, 'x');
  EXPECT_EQ(errors_of(text), "u:500001:1: the file has more than 500000 users");
}

// Whatever is done to a line, its secret is in no message.
TEST(UserList, no_message_has_a_secret_in_it) {
  const std::string good =
      "\"alice\" \"Hunter2\"\n\"bob\" \"SCRAM-SHA-256$4096:Hunter2=$Hunter2=:Hunter2=\"\n";
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (auto left = random() % 4; left > 0; --left) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0)
        text.erase(at, 1 + random() % 3);
      else
        text.insert(at, 1, "\" \n;#\0ab"[random() % 8]);
    }
    const auto errors = errors_of(text);
    if (errors == "no error") continue;
    ++refused;
    for (const char* part : {"Hunt", "nter", "ter2", "er2"})
      EXPECT_THAT(errors, Not(HasSubstr(part)));
    ASSERT_THAT(errors, StartsWith("u:"));
  }
  EXPECT_GT(refused, 5000);
}

TEST(UserList, load_wants_a_file_that_nobody_else_may_read) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/userlist.txt";
  EXPECT_EQ(UserList::load(path).error().code, base::Errc::not_found);
  std::ofstream(path) << "\"a\" \"s\"\n";
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_THAT(UserList::load(path).error().message, HasSubstr("others may read"));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  const auto list = UserList::load(path);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ((*list)->find("a")->text.text(), "s");
  std::ofstream(path, std::ios::app) << "x\n";
  EXPECT_THAT(UserList::load(path).error().message, StartsWith(path + ":2:1: the user's name"));
}

}  // namespace
}  // namespace helios::auth
