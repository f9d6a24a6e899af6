// SPDX-License-Identifier: Apache-2.0
//
// What a secret is, by its form; SCRAM verifiers and their parts.

#include "auth/user_secret.hpp"

#include "auth/secret_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace helios::auth {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// 32 bytes of 0x01, of 0x02, and a salt.
const std::string kStoredKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kServerKey = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string kSalt = "c2FsdA==";
const std::string kVerifier = "SCRAM-SHA-256$4096:" + kSalt + "$" + kStoredKey + ":" + kServerKey;

SecretKind kind_of(std::string_view text) {
  const auto secret = UserSecret::of(text);
  EXPECT_TRUE(secret) << text;
  return secret ? secret->kind : SecretKind::none;
}

TEST(UserSecret, kind_is_told_by_the_form) {
  const std::string digits = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(kind_of(""), SecretKind::none);
  EXPECT_EQ(kind_of("secret"), SecretKind::plain);
  EXPECT_EQ(kind_of("md5" + digits), SecretKind::md5);
  EXPECT_EQ(kind_of("md5" + digits.substr(1)), SecretKind::plain);
  EXPECT_EQ(kind_of("md5" + digits + "0"), SecretKind::plain);
  EXPECT_EQ(kind_of("md5" + digits.substr(1) + "g"), SecretKind::plain);
  EXPECT_EQ(kind_of("MD5" + digits), SecretKind::plain);
  EXPECT_EQ(kind_of(kVerifier), SecretKind::scram_sha_256);
  EXPECT_EQ(kind_of("SCRAM-SHA-1$1:a$b:c"), SecretKind::plain);
  EXPECT_EQ(kind_of("scram-sha-256$" + kVerifier.substr(14)), SecretKind::plain);
}

TEST(UserSecret, md5_in_upper_case_is_the_same_hash) {
  const auto secret = UserSecret::of("md50123456789ABCDEF0123456789abcdef");
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->kind, SecretKind::md5);
  EXPECT_EQ(secret->text.text(), "md50123456789abcdef0123456789abcdef");
}

TEST(UserSecret, malformed_verifier_is_an_error_and_no_password) {
  for (const std::string& text :
       {kVerifier + "x", std::string("SCRAM-SHA-256$"), kVerifier.substr(0, kVerifier.size() - 1)})
    EXPECT_FALSE(UserSecret::of(text)) << text;
}

TEST(UserSecret, moved_away_nothing_of_it_stays_behind) {
  for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
    auto first = UserSecret::of(text).value();
    const char* memory = first.text.text().data();
    UserSecret second(std::move(first));
    EXPECT_EQ(second.text.text(), text);
    EXPECT_EQ(second.kind, SecretKind::plain);
    EXPECT_EQ(first.text.text(), "");         // NOLINT: what is left of it is the point
    EXPECT_EQ(first.kind, SecretKind::none);  // NOLINT
    // A long one's memory has moved with it; a short one's was copied.
    const bool has_moved = second.text.text().data() == memory;
    EXPECT_TRUE(has_moved || std::string(memory, 5) == std::string(5, '\0'));
    UserSecret third;
    third = std::move(second);
    EXPECT_EQ(third.text.text(), text);
    EXPECT_EQ(second.text.text(), "");  // NOLINT
  }
}

TEST(Wipe, all_memory_of_a_string_is_overwritten) {
  std::string text(100, 'x');
  text.resize(50);
  const char* memory = text.data();
  const std::size_t capacity = text.capacity();
  wipe(text);
  EXPECT_EQ(text, "");
  ASSERT_EQ(text.capacity(), capacity) << "it still owns what is looked at";
  EXPECT_TRUE(std::all_of(memory, memory + capacity, [](char c) { return c == '\0'; }));
}

}  // namespace
}  // namespace helios::auth
