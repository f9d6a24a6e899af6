// SPDX-License-Identifier: Apache-2.0
#include "pgwire/query.hpp"

#include "unit/pgwire/message_bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHeaderBytes = 5;

TEST(Query, bytes_are_as_the_manual_lays_them_out) {
  EXPECT_EQ(serialize_query("SELECT 1"), "Q\0\0\0\x0dSELECT 1\0"sv);
  EXPECT_EQ(serialize_query(""), "Q\0\0\0\5\0"sv);
}

TEST(Query, text_survives_the_round_trip) {
  for (const std::string& text :
       {std::string(), std::string("SELECT '\xc3\xa4\xff'"), std::string(100'000, 'x')}) {
    const std::string bytes = serialize_query(text);
    EXPECT_EQ(bytes, test::message('Q', text + '\0'));
    EXPECT_EQ(parse_query(std::string_view(bytes).substr(kHeaderBytes)), text);
  }
}

TEST(Query, anything_but_one_string_is_malformed) {
  for (const std::string_view body :
       {""sv, "SELECT 1"sv, "SELECT 1\0; DROP TABLE t\0"sv, "SELECT 1\0\0"sv, "\0\0"sv}) {
    EXPECT_FALSE(parse_query(body)) << body;
  }
}

TEST(Query, text_is_a_view_into_the_body) {
  const std::string_view body = "SELECT 1\0"sv;
  EXPECT_EQ(parse_query(body)->data(), body.data());
}

TEST(Terminate, bytes_are_as_the_manual_lays_them_out) {
  EXPECT_EQ(serialize_terminate(), test::message('X', ""));
}

}  // namespace
}  // namespace helios::pgwire
