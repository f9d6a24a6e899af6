// SPDX-License-Identifier: Apache-2.0
// Tokens from hashes and from files: which are accepted, and who is found by them.

#include "admin/tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace helios::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";
// printf %s 0123456789abcdef0123456789abcdef | sha256sum
constexpr const char* kSecretSha256 =
    "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";

config::AdminToken hashed(std::string name, std::string sha256) {
  config::AdminToken token;
  token.name = std::move(name);
  token.sha256 = std::move(sha256);
  token.may_read = true;
  token.origin = "h.toml:1: admin.tokens.name";
  return token;
}

class TokenFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "helios-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // A token whose file holds `content`.
  config::AdminToken in_file(const std::string& content, int mode = 0600) {
    const auto path = folder / ("token" + std::to_string(files++));
    std::ofstream(path) << content;
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    auto token = hashed("file" + std::to_string(files), "");
    token.file = path.string();
    return token;
  }

  static std::string error_of(const config::AdminToken& token) {
    config::Admin admin;
    admin.tokens = {token};
    const auto loaded = TokenSet::load(admin);
    return loaded ? "no error" : loaded.error().message;
  }

  std::filesystem::path folder;
  int files = 0;
};

TEST_F(TokenFileTest, token_of_a_private_file_is_found) {
  config::Admin admin;
  admin.tokens = {in_file(std::string(kSecret) + "\n"), in_file(std::string(kSecret) + "x", 0400)};
  admin.tokens[1].namespaces = {"helios-plugin-cost_governor"};
  const auto tokens = TokenSet::load(admin);
  ASSERT_TRUE(tokens) << tokens.error().message;
  const Grant* first = (*tokens)->find(kSecret);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->name, "file1");
  EXPECT_TRUE(first->covers_everything());
  const Grant* second = (*tokens)->find(std::string(kSecret) + "x");
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->covers("cost-governor"));
  EXPECT_FALSE(second->covers("counter"));
  EXPECT_FALSE(second->covers_everything());
  for (const char* wrong :
       {"", "0", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeF", "file1"})
    EXPECT_EQ((*tokens)->find(wrong), nullptr) << wrong;
}

TEST_F(TokenFileTest, file_that_others_can_read_is_refused) {
  for (const int mode : {0640, 0604, 0660, 0666, 0644, 0610}) {
    const auto token = in_file(kSecret, mode);
    EXPECT_THAT(error_of(token), StartsWith("h.toml:1: admin.tokens.name: " + token.file +
                                            ": others may read or write it"));
  }
}

TEST_F(TokenFileTest, file_that_holds_no_token_is_refused) {
  EXPECT_THAT(error_of(in_file("short")), HasSubstr("at least 32 characters"));
  EXPECT_THAT(error_of(in_file("")), HasSubstr("at least 32 characters"));
  EXPECT_THAT(error_of(in_file(std::string(kSecret) + "\n" + kSecret)), HasSubstr("one line"));
  EXPECT_THAT(error_of(in_file(std::string(kSecret) + " ")), HasSubstr("one line"));
  EXPECT_THAT(error_of(in_file(std::string(5000, 'a'))), HasSubstr("larger than 4096 bytes"));
  auto missing = in_file("");
  missing.file += "x";
  EXPECT_THAT(error_of(missing), HasSubstr("cannot be opened"));
  missing.file = folder.string();
  EXPECT_THAT(error_of(missing), HasSubstr("is not a regular file"));
}

TEST_F(TokenFileTest, each_token_that_is_wrong_is_named) {
  config::Admin admin;
  admin.tokens = {in_file("short"), in_file(kSecret), in_file(kSecret, 0644)};
  const auto tokens = TokenSet::load(admin);
  ASSERT_FALSE(tokens);
  EXPECT_THAT(tokens.error().message, HasSubstr("at least 32 characters"));
  EXPECT_THAT(tokens.error().message, HasSubstr("\nh.toml:1: "));
  EXPECT_THAT(tokens.error().message, HasSubstr("others may read or write it"));
}

TEST_F(TokenFileTest, same_token_twice_is_refused) {
  config::Admin admin;
  admin.tokens = {in_file(kSecret), in_file(kSecret)};
  const auto tokens = TokenSet::load(admin);
  ASSERT_FALSE(tokens);
  EXPECT_THAT(tokens.error().message, HasSubstr("is the same token as file1"));
}

TEST_F(TokenFileTest, impossible_namespace_is_refused) {
  auto token = in_file(kSecret);
  token.namespaces = {"a/b"};
  EXPECT_THAT(error_of(token), HasSubstr("\"a/b\" is no plugin name"));
}

TEST(TokenSet, hash_stands_for_its_token) {
  config::Admin admin;
  admin.tokens = {hashed("a", kSecretSha256)};
  const auto tokens = TokenSet::load(admin);
  ASSERT_TRUE(tokens);
  ASSERT_NE((*tokens)->find(kSecret), nullptr);
  EXPECT_EQ((*tokens)->find(kSecretSha256), nullptr) << "the hash is no token";
}

TEST(TokenSet, none_is_empty) {
  const auto tokens = TokenSet::load({});
  ASSERT_TRUE(tokens);
  EXPECT_TRUE((*tokens)->empty());
  EXPECT_EQ((*tokens)->find(""), nullptr);
}

TEST(BearerToken, form_is_that_of_rfc_6750) {
  for (const char* text : {"a", "abc-._~+/09AZ", "YWJj==", "a="})
    EXPECT_TRUE(is_bearer_token(text));
  for (const char* text : {"", "=", "a b", "a=b", "a\n", "\xC3\xA4", "a,b", "\"a\""})
    EXPECT_FALSE(is_bearer_token(text)) << text;
}

}  // namespace
}  // namespace helios::admin
