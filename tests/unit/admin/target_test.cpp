// SPDX-License-Identifier: Apache-2.0
// Percent-encoding both ways, and queries, by tables.

#include "admin/target.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::admin {
namespace {

using namespace std::string_literals;

TEST(PercentDecode, escapes_become_bytes) {
  EXPECT_EQ(percent_decode("").value(), "");
  EXPECT_EQ(percent_decode("tenant:acme/usage").value(), "tenant:acme/usage");
  EXPECT_EQ(percent_decode("tenant%3Aacme%3ausage").value(), "tenant:acme:usage");
  EXPECT_EQ(percent_decode("a%2Fb%3Fc%25d").value(), "a/b?c%d");
  EXPECT_EQ(percent_decode("%C3%A9t%c3%a9").value(), "été");
  EXPECT_EQ(percent_decode("a%00b").value(), "a\0b"s);
  EXPECT_EQ(percent_decode("%FF%fe").value(), "\xFF\xFE");
  EXPECT_EQ(percent_decode("%2541").value(), "%41");  // decoded once, not twice
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
}

TEST(PercentDecode, bad_escapes_are_invalid) {
  for (const std::string_view text : {"%", "a%", "%4", "%4g", "%g4", "%%41", "% 1", "%+1", "%-1"}) {
    const auto result = percent_decode(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, base::Errc::invalid) << text;
  }
}

TEST(PercentEncode, decoding_gives_every_byte_back) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const std::string encoded = percent_encode(bytes);
  EXPECT_EQ(percent_decode(encoded).value(), bytes);
  EXPECT_EQ(encoded.find_first_of(" ?&=#+\"<>\\"), std::string::npos);
  EXPECT_EQ(percent_encode("tenant:acme/x-1_~."), "tenant:acme/x-1_~.");
  EXPECT_EQ(percent_encode("\xE9 "), "%E9%20");
}

TEST(SplitTarget, first_question_mark_begins_the_query) {
  EXPECT_EQ(split_target("/a/b").path, "/a/b");
  EXPECT_EQ(split_target("/a/b").query, "");
  EXPECT_EQ(split_target("/a?b=c?d").path, "/a");
  EXPECT_EQ(split_target("/a?b=c?d").query, "b=c?d");
  EXPECT_EQ(split_target("").path, "");
}

TEST(ParseQuery, names_and_values_are_decoded_after_splitting) {
  const auto result = parse_query("prefix=a%26b%3Dc&&empty=&flag&x=1=2");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, (Parameters{{"prefix", "a&b=c"}, {"empty", ""}, {"flag", ""}, {"x", "1=2"}}));
}

TEST(ParseQuery, bad_escape_in_name_or_value_is_invalid) {
  EXPECT_FALSE(parse_query("a%=1").has_value());
  EXPECT_FALSE(parse_query("a=1&b=2&%61=3").has_value());
  EXPECT_FALSE(parse_query("a=1&b=%zz").has_value());
}

}  // namespace
}  // namespace helios::admin
