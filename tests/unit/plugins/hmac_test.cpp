// SPDX-License-Identifier: Apache-2.0
#include "plugins/hmac.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::plugins {
namespace {

std::string hmac(std::string_view bytes, bool go_on = true) {
  HmacKey key;
  key.fill(0x0b);
  std::string out(kSha256HexBytes, '-');
  const bool is_done = hmac_sha256_hex_while([go_on] { return go_on; }, key, bytes,
                                             std::span<char, kSha256HexBytes>(out));
  return is_done ? out : "stopped " + out.substr(0, 1);
}

// Values by another implementation.
TEST(Hmac, is_the_one_of_the_rfc) {
  EXPECT_EQ(hmac(""), "5177e637aaac0b50e5dca8bb05b0b571444bd59b9b0d834d50681af21fc14b1e");
  EXPECT_EQ(hmac("hello"), "7ea37d205ced9b21b2f3eb6836fb773100da5dd3ba84900fb712826ef6b20fef");
  EXPECT_EQ(hmac(std::string(200'000, 'x')),
            "dc21548961c41a5bbc8ba65b1a75ae2dfc8f9f92a71507b57e604928b657f9bf");
}

TEST(Hmac, of_a_long_text_ends_when_it_is_told_to_and_the_next_one_is_right) {
  EXPECT_EQ(hmac(std::string(200'000, 'x'), false), "stopped -");
  EXPECT_EQ(hmac("hello"), "7ea37d205ced9b21b2f3eb6836fb773100da5dd3ba84900fb712826ef6b20fef");
}

}  // namespace
}  // namespace helios::plugins
