// SPDX-License-Identifier: Apache-2.0

// Goal: numbers survive the way through text. Method: the C library and std::to_chars, which a guest
// does not have, are the reference for tables and for many random bit patterns.

#include "helios/numbers.hpp"

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace helios::plugin {
namespace {

constexpr int kRandomRounds = 5000;

// Finite doubles of every magnitude: random bits.
double random_double(std::mt19937_64& random) {
  while (true) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) return value;
  }
}

std::string reference_shortest_digits(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  std::string digits;
  for (const char* at = text; at != end.ptr && *at != 'e'; ++at)
    if (*at >= '0' && *at <= '9') digits += *at;
  return digits;
}

std::string significant_digits(const std::string& text) {
  std::string digits;
  for (const char byte : text.substr(0, text.find('e')))
    if (byte >= '0' && byte <= '9') digits += byte;
  const auto first = digits.find_first_not_of('0');
  const auto last = digits.find_last_not_of('0');
  return first == std::string::npos ? "" : digits.substr(first, last - first + 1);
}

TEST(FormatDouble, Table_GivesShortestText) {
  const struct {
    double number;
    const char* text;
  } rows[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {0.001074, "0.001074"},
      {100, "100"},
      {1e21, "1e21"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e-6, "0.000001"},
      {1.5e-7, "1.5e-7"},
      {5e-324, "5e-324"},
      {0.3, "0.3"},
      {0.1 + 0.2, "0.30000000000000004"},
      {9007199254740993.0, "9007199254740992"},
      {1.7976931348623157e308, "1.7976931348623157e308"},
  };
  for (const auto& row : rows) EXPECT_EQ(to_std(format_double(row.number)), row.text);
}

TEST(FormatDouble, NotFinite_IsNull) {
  EXPECT_EQ(to_std(format_double(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(to_std(format_double(std::numeric_limits<double>::quiet_NaN())), "null");
}

TEST(FormatDouble, RandomBits_AreShortestAndReadAsTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kRandomRounds; ++i) {
    const double value = random_double(random);
    const String text = format_double(value);
    const Optional<double> again = parse_double(text);
    ASSERT_TRUE(again) << to_std(text);
    ASSERT_EQ(std::bit_cast<uint64_t>(*again), std::bit_cast<uint64_t>(value)) << to_std(text);
    ASSERT_EQ(significant_digits(to_std(text)),
              significant_digits(reference_shortest_digits(value)));
  }
}

TEST(FormatDouble, ParsedAndFormattedAgain_IsTheSameText) {
  std::mt19937_64 random(2);
  double spent = 0;
  String text = "0";
  for (int i = 0; i < kRandomRounds; ++i) {
    spent +=
        1e-6 * static_cast<double>(random() % 5000) + 1e-3 * static_cast<double>(random() % 99);
    text = format_double(spent);
    ASSERT_EQ(to_std(format_double(*parse_double(text))), to_std(text));
  }
}

TEST(ParseDouble, RandomDecimals_AreTheNearestDouble) {
  std::mt19937_64 random(3);
  for (int i = 0; i < kRandomRounds; ++i) {
    const int exponent = static_cast<int>(random() % 690) - 360;
    const std::string text =
        std::to_string(random() >> (random() % 60) >> 1) + "e" + std::to_string(exponent);
    const double reference = std::strtod(text.c_str(), nullptr);
    const Optional<double> value = parse_double(from_std(text));
    if (std::isinf(reference)) {
      ASSERT_FALSE(value) << text;
    } else {
      ASSERT_TRUE(value) << text;
      ASSERT_EQ(*value, reference) << text;
    }
  }
}

TEST(ParseDouble, Edges_AreTheNearestDouble) {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "0e5",
                           "1",
                           "0.1",
                           "123.456",
                           "1e22",
                           "1e23",
                           "9007199254740993",
                           "2.2250738585072011e-308",
                           "2.2250738585072014e-308",
                           "4.9e-324",
                           "2.4e-324",
                           "2.5e-324",
                           "1.7976931348623157e308",
                           "1e-400",
                           "0.000000000000000000000000000001",
                           "1e-999999999999",
                           "18446744073709551615",
                           "100000000000000000000000000"}) {
    const Optional<double> value = parse_double(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(*value, std::strtod(text, nullptr)) << text;
  }
}

TEST(ParseDouble, OtherTexts_AreNothing) {
  for (const char* text : {"", " 1", "1 ", "+1", ".5", "5.", "01", "1e", "1e+", "0x10", "inf",
                           "nan", "1,5", "--1", "-", "1.8e308", "1e999999999999", "1e5000000000"})
    EXPECT_FALSE(parse_double(text)) << text;
}

TEST(FormatFixed, RandomNumbers_AreAsPrintfWritesThem) {
  std::mt19937_64 random(4);
  for (int i = 0; i < kRandomRounds; ++i) {
    const double value = i % 2 == 0 ? random_double(random)
                                    : static_cast<double>(random() % 2000001) / 1000.0 - 1000.0;
    const int decimals = static_cast<int>(random() % 4);
    char reference[400];
    snprintf(reference, sizeof reference, "%.*f", decimals, value);
    ASSERT_EQ(to_std(format_fixed(value, decimals)), reference) << decimals;
  }
}

TEST(ParseInt, Limits_AreRead) {
  EXPECT_EQ(*parse_int("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(*parse_int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(*parse_int("0042"), 42);
  EXPECT_EQ(*parse_int("-0"), 0);
}

TEST(ParseInt, OtherTexts_AreNothing) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "9223372036854775808",
                           "-9223372036854775809", "99999999999999999999999", "a"})
    EXPECT_FALSE(parse_int(text)) << text;
}

TEST(FormatInt, RandomNumbers_AreReadAgain) {
  std::mt19937_64 random(5);
  for (int i = 0; i < kRandomRounds; ++i) {
    const auto number = static_cast<int64_t>(random()) >> (random() % 64);
    const String text = format_int(number);
    ASSERT_EQ(to_std(text), std::to_string(number));
    ASSERT_EQ(*parse_int(text), number);
  }
  EXPECT_EQ(to_std(format_int(INT64_MIN)), std::to_string(INT64_MIN));
}

}  // namespace
}  // namespace helios::plugin
