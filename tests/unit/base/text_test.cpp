// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::base {
namespace {

using namespace std::string_view_literals;

TEST(ToLower, only_ascii_letters_change) {
  EXPECT_EQ(to_lower("AbC-Z[@`{09\xc3\x84"), "abc-z[@`{09\xc3\x84");
  EXPECT_EQ(to_lower(""), "");
}

TEST(EqualsIgnoreCase, compares_ascii_letters_without_case) {
  EXPECT_TRUE(equals_ignore_case("SeT", "sEt"));
  EXPECT_TRUE(equals_ignore_case("", ""));
  EXPECT_FALSE(equals_ignore_case("set", "sets"));
  EXPECT_FALSE(equals_ignore_case("[", "{")) << "differ by the same bit as letters do";
  EXPECT_FALSE(equals_ignore_case("@", "`"));
}

TEST(FindIgnoreCase, finds_the_first_place) {
  EXPECT_EQ(find_ignore_case("SELECT Helios.KV() helios.kv()", "helios.kv"), 7U);
  EXPECT_EQ(find_ignore_case("abc", "c"), 2U);
  EXPECT_EQ(find_ignore_case("aab", "ab"), 1U);
}

TEST(FindIgnoreCase, absent_needle_is_npos) {
  EXPECT_EQ(find_ignore_case("abc", "abcd"), std::string_view::npos);
  EXPECT_EQ(find_ignore_case("", "a"), std::string_view::npos);
}

TEST(FindIgnoreCase, empty_needle_is_at_the_start) {
  EXPECT_EQ(find_ignore_case("abc", ""), 0U);
  EXPECT_EQ(find_ignore_case("", ""), 0U);
}

TEST(IsValidUtf8, well_formed_sequences_of_every_length_are_valid) {
  for (const std::string_view text :
       {""sv, "ascii\0nul"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv,
        "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv,
        "\xf4\x8f\xbf\xbf"sv, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"sv}) {
    EXPECT_TRUE(is_valid_utf8(text)) << escape_for_log(text);
  }
}

TEST(IsValidUtf8, ill_formed_sequences_are_not) {
  for (const std::string_view text : {
           "\x80"sv,  // continuation alone
           "\xbf"sv,
           "\xc0\x80"sv,          // overlong NUL
           "\xc1\xbf"sv,          // overlong
           "\xe0\x9f\xbf"sv,      // overlong
           "\xf0\x8f\xbf\xbf"sv,  // overlong
           "\xed\xa0\x80"sv,      // surrogate
           "\xed\xbf\xbf"sv,      // surrogate
           "\xf4\x90\x80\x80"sv,  // above U+10FFFF
           "\xf5\x80\x80\x80"sv,
           "\xff"sv,
           "\xc3"sv,  // cut short
           "\xe2\x82"sv,
           "\xf0\x9f\x98"sv,
           "\xc3z"sv,  // something else where a continuation belongs
           "\xe2\x82z"sv,
           "\xf0\x9f\x98z"sv,
           "fine \xc3\xa4 until \xe4"sv,
       }) {
    EXPECT_FALSE(is_valid_utf8(text)) << escape_for_log(text);
  }
}

TEST(EscapeForLog, printable_ascii_is_kept) {
  EXPECT_EQ(escape_for_log("SELECT 1; ~"), "SELECT 1; ~");
}

TEST(EscapeForLog, everything_else_becomes_hex) {
  EXPECT_EQ(escape_for_log("a\nb\r\t\x1b[0m\x7f\xc3\xa4"sv),
            "a\\x0ab\\x0d\\x09\\x1b[0m\\x7f\\xc3\\xa4");
  EXPECT_EQ(escape_for_log("\0"sv), "\\x00");
  EXPECT_EQ(escape_for_log("\\x0a"), "\\x5cx0a") << "an escape cannot be faked";
}

TEST(EscapeForLog, long_text_is_cut_and_says_so) {
  EXPECT_EQ(escape_for_log("abcd", 4), "abcd");
  EXPECT_EQ(escape_for_log("abcde", 4), "abcd...");
  EXPECT_EQ(escape_for_log("abc", 0), "...");
}

TEST(ToHex, every_byte_is_two_digits) {
  EXPECT_EQ(to_hex("\x00\x0f\xf0\xff"sv), "000ff0ff");
  EXPECT_EQ(to_hex(""), "");
}

}  // namespace
}  // namespace helios::base
