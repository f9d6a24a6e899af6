// SPDX-License-Identifier: Apache-2.0

// JSON strings: escapes, and bytes that are not UTF-8.

#include "plugins/abi/json_writer.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>

namespace helios::plugins {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, plain_text_is_quoted) {
  EXPECT_EQ(written(""), R"("")");
  EXPECT_EQ(written("SELECT 1"), R"("SELECT 1")");
}

TEST(JsonString, special_characters_are_escaped) {
  EXPECT_EQ(written("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(written("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(written(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(JsonString, utf8_stays_as_it_is) {
  const std::string text = "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80";
  EXPECT_EQ(written(text), "\"" + text + "\"");
}

TEST(JsonString, invalid_utf8_becomes_replacement_characters) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(written("a\xE9z"), "\"a" + r + "z\"");                      // Latin-1
  EXPECT_EQ(written("\xC3"), "\"" + r + "\"");                          // cut off
  EXPECT_EQ(written("\xC0\x80"), "\"" + r + r + "\"");                  // overlong
  EXPECT_EQ(written("\xED\xA0\x80"), "\"" + r + r + r + "\"");          // surrogate
  EXPECT_EQ(written("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // beyond U+10FFFF
}

TEST(JsonString, every_byte_pair_is_valid_json) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string json = written(std::string{static_cast<char>(a), static_cast<char>(b)});
      boost::json::error_code error;
      const auto value = boost::json::parse(json, error);
      ASSERT_FALSE(error) << a << " " << b;
      if (a < 0x80 && b < 0x80) {
        ASSERT_EQ(value.as_string(), (std::string{static_cast<char>(a), static_cast<char>(b)}));
      }
    }
}

}  // namespace
}  // namespace helios::plugins
