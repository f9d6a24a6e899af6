// SPDX-License-Identifier: Apache-2.0

// Goal: what an operator mistypes is named, and what is let in means what it says. Method: tables; numbers of known value
// written in random ways; random damage under the sanitizers.

#include "helios/fields.hpp"

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace helios::plugin {
namespace {

struct Limit {
  int64_t burst = -1;
  double cost = -1;
  bool strict = false;
  size_t per = 7;
  Optional<String> note;
};

// What is wrong with the text; "" when it is a limit.
std::string problem_of(const std::string& json, Limit* read = nullptr) {
  static constexpr StringView kPer[] = {"tenant", "user"};
  Limit limit;
  FieldReader fields;
  fields.whole("burst", limit.burst, 0, 1'000'000).required();
  fields.number("cost", limit.cost);
  fields.flag("strict", limit.strict);
  fields.choice("per", limit.per, kPer);
  fields.text("note", limit.note);
  std::string problem = to_std(fields.read(from_std(json)));
  if (read != nullptr) *read = limit;
  return problem;
}

TEST(Fields, KnownFields_AreRead) {
  Limit limit;
  EXPECT_EQ(
      problem_of(R"( {"burst":5,"cost":2.5,"strict":true,"per":"user","note":"a\tb"} )", &limit),
      "");
  EXPECT_EQ(limit.burst, 5);
  EXPECT_EQ(limit.cost, 2.5);
  EXPECT_TRUE(limit.strict);
  EXPECT_EQ(limit.per, 1U);
  EXPECT_EQ(*limit.note, "a\tb");
}

TEST(Fields, FieldsThatAreLeftOut_KeepWhatTheyWere) {
  Limit limit;
  EXPECT_EQ(problem_of(R"({"burst":5})", &limit), "");
  EXPECT_EQ(limit.cost, -1);
  EXPECT_EQ(limit.per, 7U);
  EXPECT_FALSE(limit.note);
}

TEST(Fields, WhatIsWrong_IsNamed) {
  const std::string bursts = "field `burst` must be a whole number from 0 to 1000000";
  const struct {
    std::string json, problem;
  } kCases[] = {
      {"", "the value is empty; it must be a JSON object"},
      {" \n", "the value is empty; it must be a JSON object"},
      {"{", "the value is not JSON"},
      {"{} {}", "the value is not JSON"},
      {"10", "the value must be a JSON object, and is a number"},
      {R"("x")", "the value must be a JSON object, and is a text"},
      {"[]", "the value must be a JSON object, and is a list"},
      {"null", "the value must be a JSON object, and is null"},
      {"{}", "field `burst` is missing"},
      {R"({"brust":1})", "field `brust` is not known; did you mean `burst`?"},
      {R"({"Burst":1})", "field `Burst` is not known; did you mean `burst`?"},
      {R"({"burst ":1})", "field `burst ` is not known; did you mean `burst`?"},
      {R"({"burst":1,"nothing":2})",
       "field `nothing` is not known; there are `burst`, `cost`, `strict`, `per`, `note`"},
      {R"({"burst":1,"x":2})",
       "field `x` is not known; there are `burst`, `cost`, `strict`, `per`, `note`"},
      {R"({"burst":1,"burst":1})", "field `burst` is there twice"},
      {R"({"burst":1,"b\u0075rst":1})", "field `burst` is there twice"},
      {R"({"burst":"1"})", "field `burst` must be a whole number, and is a text"},
      {R"({"burst":null})", "field `burst` must be a whole number, and is null"},
      {R"({"burst":1.5})", bursts},
      {R"({"burst":-1})", bursts},
      {R"({"burst":1000001})", bursts},
      {R"({"burst":1e400})", bursts},
      {R"({"burst":1,"cost":"1"})", "field `cost` must be a number, and is a text"},
      {R"({"burst":1,"cost":-0.1})", "field `cost` must be a number of 0 or more"},
      {R"({"burst":1,"cost":1e400})", "field `cost` is too large a number"},
      {R"({"burst":1,"cost":0.1e-400})", "field `cost` is too small a number"},
      {R"({"burst":1,"strict":1})", "field `strict` must be true or false, and is a number"},
      {R"({"burst":1,"per":"planet"})", R"(field `per` must be one of "tenant", "user")"},
      {R"({"burst":1,"per":1})", R"(field `per` must be one of "tenant", "user")"},
      {R"({"burst":1,"note":1})", "field `note` must be a text, and is a number"},
  };
  for (const auto& [json, problem] : kCases) EXPECT_EQ(problem_of(json), problem) << json;
}

TEST(Fields, LongNames_AreCut) {
  const std::string problem = problem_of("{\"" + std::string(100'000, 'n') + "\":1}");
  EXPECT_EQ(problem, "field `" + std::string(40, 'n') +
                         "...` is not known; there are `burst`, `cost`, `strict`, `per`, `note`");
}

TEST(Fields, Bounds_AreToldAsFarAsThereAreSome) {
  int64_t number = 0;
  const auto told = [&number](int64_t least, int64_t most) {
    FieldReader fields;
    fields.whole("n", number, least, most);
    return to_std(fields.read(R"({"n":0.5})"));
  };
  EXPECT_EQ(told(INT64_MIN, INT64_MAX), "field `n` must be a whole number");
  EXPECT_EQ(told(1, INT64_MAX), "field `n` must be a whole number of 1 or more");
  EXPECT_EQ(told(1, 9), "field `n` must be a whole number from 1 to 9");
}

TEST(Fields, Has_SaysWhatWasThere) {
  int64_t a = 0;
  int64_t b = 0;
  FieldReader fields;
  fields.whole("a", a).whole("b", b);
  EXPECT_EQ(fields.read(R"({"b":1})"), "");
  EXPECT_FALSE(fields.has("a"));
  EXPECT_TRUE(fields.has("b"));
  EXPECT_FALSE(fields.has("c"));
}

TEST(ParseWhole, NumbersThatAreWhole_AreRead) {
  const struct {
    const char* text;
    int64_t number;
  } kCases[] = {{"10", 10},
                {"10.0", 10},
                {"1e3", 1000},
                {"1E+3", 1000},
                {"1200e-2", 12},
                {"-0", 0},
                {"-0.0e5", 0},
                {"0.00e-999999", 0},
                {"1.5e1", 15},
                {"-2.50e2", -250},
                {"0.001e3", 1},
                {"0e99999999999999999999", 0},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN},
                {"9223372036854775807.000", INT64_MAX},
                {"922337203685477580.7e1", INT64_MAX}};
  for (const auto& [text, number] : kCases) {
    const auto read = parse_whole(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, number) << text;
  }
}

TEST(ParseWhole, AnythingElse_IsNothing) {
  for (const char* const text : {"",
                                 "x",
                                 "1.5",
                                 "1e-1",
                                 "10.00000000000000000000000000001",
                                 "1e19",
                                 "9223372036854775808",
                                 "-9223372036854775809",
                                 "1e99999999999999999999",
                                 "1e-99999999999999999999",
                                 "01",
                                 "+1",
                                 "1.",
                                 ".1",
                                 " 1",
                                 "1 ",
                                 "0x10",
                                 "1e",
                                 "NaN",
                                 "Infinity",
                                 "--1",
                                 "1_000"})
    EXPECT_FALSE(parse_whole(text)) << text;
}

// A number of known value in some other spelling: the point moved, zeros put around it.
std::string spelled(int64_t number, std::mt19937& random) {
  std::string digits = std::to_string(number);
  const std::string sign = digits[0] == '-' ? "-" : "";
  digits.erase(0, sign.size());
  const auto pick = [&random](int most) { return static_cast<int>(random() % (most + 1)); };
  const int zeros = pick(30);
  digits += std::string(static_cast<std::size_t>(zeros), '0');
  int exponent = -zeros;
  const std::size_t point = 1 + random() % digits.size();
  const auto fraction = digits.size() - point;
  if (digits[0] == '0' && point > 1) return sign + "0";
  exponent += static_cast<int>(fraction);
  std::string text = sign + digits.substr(0, point);
  if (fraction > 0) text += "." + digits.substr(point);
  if (exponent != 0 || pick(1) == 0) text += (pick(1) == 0 ? "e" : "E") + std::to_string(exponent);
  return text;
}

TEST(ParseWhole, EverySpellingOfANumber_IsThatNumber) {
  std::mt19937 random(20261130);
  for (int round = 0; round < 20'000; ++round) {
    const auto bits = (static_cast<uint64_t>(random()) << 32 | random()) >> (random() % 64);
    const auto number = static_cast<int64_t>(random() % 2 == 0 ? bits : 0 - bits);
    const std::string text = spelled(number, random);
    const auto read = parse_whole(from_std(text));
    ASSERT_TRUE(read) << number << " as " << text;
    ASSERT_EQ(*read, number) << text;
  }
}

TEST(ParseWhole, ASpellingWithSomethingBehindTheWhole_IsNothing) {
  std::mt19937 random(7);
  for (int round = 0; round < 5'000; ++round) {
    const auto number = static_cast<int64_t>(random());
    const std::string part = std::string(random() % 25, '0') + std::to_string(1 + random() % 9);
    ASSERT_FALSE(parse_whole(from_std(std::to_string(number) + "." + part)));
    ASSERT_FALSE(
        parse_whole(from_std(std::to_string(number) + part + "e-" + std::to_string(part.size()))));
  }
}

// The C library reads the same double, up to the 19 digits that are taken.
TEST(FieldNumber, IsWhatTheCLibraryReads) {
  std::mt19937 random(3);
  for (int round = 0; round < 5'000; ++round) {
    std::string text =
        std::to_string(random() % 1'000'000) + "." + std::to_string(random() % 100'000);
    if (random() % 2 == 0) text += "e" + std::to_string(static_cast<int>(random() % 40) - 20);
    Limit limit;
    ASSERT_EQ(problem_of("{\"burst\":1,\"cost\":" + text + "}", &limit), "") << text;
    ASSERT_EQ(limit.cost, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Fields, DamagedText_IsReadOrNamed) {
  const std::string whole =
      R"({"burst":12.0,"cost":1e2,"strict":true,"per":"user","note":"\u00e4"})";
  ASSERT_EQ(problem_of(whole), "");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(problem_of(whole.substr(0, length)), "") << length;
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    const std::string problem = problem_of(text);
    EXPECT_LT(problem.size(), 300U);
  }
}

TEST(WarnOnce, SaysEachThingOnce) {
  FakeHost host;
  for (int i = 0; i < 3; ++i) {
    warn_once("one thing");
    warn_once("another");
  }
  EXPECT_EQ(host.log, (std::vector<std::string>{"one thing", "another"}));
}

}  // namespace
}  // namespace helios::plugin
