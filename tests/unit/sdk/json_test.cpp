// SPDX-License-Identifier: Apache-2.0

// Goal: what is JSON is read, what is not is refused, whatever bytes come. Method: tables, every
// prefix of a document, and random damage under the sanitizers.

#include "helios/json.hpp"

#include "helios/plugin.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace helios::plugin {
namespace {

std::string text_of(const Optional<String>& text) {
  return text ? std::string(text->data(), text->size()) : "(nothing)";
}

StringView view(const std::string& text) { return {text.data(), text.size()}; }

TEST(Json, Object_GivesItsMembers) {
  const auto json =
      Json::parse(R"( {"a": 1.5, "b" :true,"c":null, "d":"x", "e":[1,[2],{"f":3}], "g":-7} )");
  ASSERT_TRUE(json);
  EXPECT_EQ(*json->member("a")->number(), 1.5);
  EXPECT_TRUE(*json->member("b")->boolean());
  EXPECT_EQ(json->member("c")->kind(), Json::Kind::null);
  EXPECT_EQ(text_of(json->member("d")->string()), "x");
  EXPECT_EQ(*json->member("e")->element(2)->member("f")->integer(), 3);
  EXPECT_FALSE(json->member("e")->element(3));
  EXPECT_EQ(*json->member("g")->integer(), -7);
  EXPECT_FALSE(json->member("h"));
}

TEST(Json, WrongKind_IsNothing) {
  const auto json = Json::parse(R"({"text":"1","number":1,"large":1e300,"half":0.5})");
  ASSERT_TRUE(json);
  EXPECT_FALSE(json->member("text")->number());
  EXPECT_FALSE(json->member("number")->string());
  EXPECT_FALSE(json->member("number")->boolean());
  EXPECT_FALSE(json->member("number")->member("x"));
  EXPECT_FALSE(json->member("number")->element(0));
  EXPECT_FALSE(json->member("large")->integer());
  EXPECT_FALSE(json->member("half")->integer());
}

TEST(Json, NameThatIsThereTwice_IsTheLast) {
  EXPECT_EQ(*Json::parse(R"({"a":1,"a":2})")->member("a")->integer(), 2);
}

TEST(Json, EscapedName_IsFound) {
  EXPECT_EQ(*Json::parse(R"({"a\u0062\n":1})")->member("ab\n")->integer(), 1);
}

TEST(Json, Escapes_BecomeTheirBytes) {
  const auto json = Json::parse(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0000")");
  ASSERT_TRUE(json);
  EXPECT_EQ(text_of(json->string()),
            std::string("\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0", 19));
}

TEST(Json, HalfOfASurrogatePair_IsReplaced) {
  EXPECT_EQ(text_of(Json::parse(R"("\ud83dx")")->string()), "\xef\xbf\xbdx");
  EXPECT_EQ(text_of(Json::parse(R"("\ude00")")->string()), "\xef\xbf\xbd");
  EXPECT_EQ(text_of(Json::parse(R"("\ud83d\ud83d\ude00")")->string()),
            "\xef\xbf\xbd\xf0\x9f\x98\x80");
}

TEST(Json, OtherTexts_AreNothing) {
  for (const char* text : {"",       " ",     "{",      "}",         "[",           "[1",
                           "[1,",    "[1,]",  "{\"a\"", "{\"a\":",   "{\"a\":1,}",  "{a:1}",
                           "{1:1}",  "\"",    "\"\\\"", "\"\\x\"",   "\"\\u12g4\"", "\"\\u123\"",
                           "\"\n\"", "tru",   "truee",  "nul",       "01",          "1.",
                           "1 2",    "[1] x", "'a'",    "{\"a\" 1}", "[1 2]",       "\xff"})
    EXPECT_FALSE(Json::parse(text)) << text;
}

TEST(Json, Nesting_IsLimited) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Json::parse(view(nested(32))));
  EXPECT_FALSE(Json::parse(view(nested(40))));
  EXPECT_FALSE(Json::parse(view(std::string(1'000'000, '['))));
}

TEST(Json, EveryPrefixOfADocument_IsNothing) {
  const std::string document = R"({"a":[1.5e-3,true,{"b":"\u00e9\n"}],"c":null})";
  ASSERT_TRUE(Json::parse(view(document)));
  for (size_t length = 0; length < document.size(); ++length)
    EXPECT_FALSE(Json::parse(view(document.substr(0, length)))) << length;
}

TEST(Json, RandomDamage_NeverReadsOutside) {
  const std::string document =
      R"({"query":"SELECT \"x\"","hook_context":{"attributes":{"tenant_id":"acme","n":1e5}}})";
  std::mt19937_64 random(7);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = document;
    for (int change = 0; change < 3; ++change)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    // A buffer of exactly this size, so that AddressSanitizer sees one byte too many.
    const std::unique_ptr<char[]> exact(new char[damaged.size()]);
    damaged.copy(exact.get(), damaged.size());
    const auto json = Json::parse(StringView(exact.get(), damaged.size()));
    if (!json) continue;
    ++accepted;
    const auto context = json->member("hook_context").value_or(Json());
    const auto attributes = context.member("attributes").value_or(Json());
    (void)json->member("query").value_or(Json()).string();
    (void)attributes.member("tenant_id").value_or(Json()).string();
  }
  EXPECT_GT(accepted, 0);
}

TEST(JsonString, EveryByte_IsReadAgain) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const String json = json_string(view(bytes));
  EXPECT_EQ(text_of(Json::parse(json)->string()), bytes);
}

// Byte by byte, where json_string() looks at eight at a time.
std::string slow_json_string(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x20) {
      out += std::string("\\u00") + kDigits[code >> 4] + kDigits[code & 15];
    } else {
      if (byte == '"' || byte == '\\') out += '\\';
      out += byte;
    }
  }
  return out + '"';
}

TEST(JsonString, EveryByteAtEveryPlace_IsWrittenAsByTheSlowWay) {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string bytes(length, byte % 2 == 0 ? 'x' : '\xE4');
        bytes[at] = static_cast<char>(byte);
        const std::unique_ptr<char[]> exact(new char[length]);
        bytes.copy(exact.get(), length);
        const String json = json_string(StringView(exact.get(), length));
        ASSERT_EQ(std::string(json.data(), json.size()), slow_json_string(bytes));
      }
    }
  }
}

}  // namespace
}  // namespace helios::plugin
