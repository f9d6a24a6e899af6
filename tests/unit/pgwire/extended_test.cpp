// SPDX-License-Identifier: Apache-2.0
#include "pgwire/extended.hpp"

#include "unit/pgwire/message_bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kParseBody = "s1\0SELECT $1\0\0\2\0\0\0\x17\0\0\0\x19"sv;
// Two parameters, the first binary, the second NULL; one result format.
constexpr std::string_view kBindBody =
    "p1\0s1\0\0\2\0\1\0\0\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\1\0\1"sv;

// Every shorter body, and every longer one, is malformed.
template <typename Decode>
void expect_exact(std::string_view body, Decode decode) {
  EXPECT_TRUE(decode(test::HeapBytes(body).view()));
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_FALSE(decode(test::HeapBytes(body.substr(0, length)).view())) << length;
  }
  EXPECT_FALSE(decode(test::HeapBytes(std::string(body) + '\0').view()));
}

TEST(Parse, fields_are_views_of_the_body) {
  const auto view = parse_parse(kParseBody);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->statement, "s1");
  EXPECT_EQ(view->text, "SELECT $1");
  EXPECT_EQ(parameter_type(view->types, 0), 23U);
  EXPECT_EQ(parameter_type(view->types, 1), 25U);
  EXPECT_EQ(parameter_type(view->types, 2), 0U);
  expect_exact(kParseBody, parse_parse);
}

TEST(Parse, bytes_are_as_the_manual_lays_them_out) {
  EXPECT_EQ(serialize_parse("", "SELECT 1"), test::message('P', "\0SELECT 1\0\0\0"sv));
  const auto view = parse_parse(kParseBody);
  EXPECT_EQ(serialize_parse(view->statement, view->text, view->types),
            test::message('P', kParseBody));
}

TEST(Bind, fields_are_views_of_the_body) {
  const auto view = parse_bind(kBindBody);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->portal, "p1");
  EXPECT_EQ(view->statement, "s1");
  EXPECT_EQ(view->formats, "\0\1\0\1"sv);
  EXPECT_EQ(serialize_bind("p1", "s1", view->values, view->formats), test::message('B', kBindBody));
  expect_exact(kBindBody, parse_bind);
}

TEST(Bind, values_come_with_their_formats) {
  std::vector<BoundValue> values;
  ASSERT_TRUE(read_values(parse_bind(kBindBody)->values, values));
  ASSERT_EQ(values.size(), 2U);
  EXPECT_TRUE(values[0].is_binary);
  EXPECT_EQ(values[0].value, "\0\0\0\7"sv);
  EXPECT_FALSE(values[1].is_binary);
  EXPECT_EQ(values[1].value, std::nullopt);
}

TEST(Bind, one_format_is_for_all_values_and_none_means_text) {
  std::vector<BoundValue> values;
  ASSERT_TRUE(read_values("\0\1\0\1\0\2\0\0\0\1a\0\0\0\1b"sv, values));
  EXPECT_TRUE(values[0].is_binary && values[1].is_binary);
  ASSERT_TRUE(read_values("\0\0\0\1\0\0\0\1a"sv, values));
  EXPECT_FALSE(values[0].is_binary);
}

TEST(Bind, formats_that_do_not_fit_are_not_read) {
  std::vector<BoundValue> values;
  EXPECT_FALSE(read_values("\0\1\0\2\0\1\0\0\0\0"sv, values)) << "format 2";
  EXPECT_FALSE(read_values("\0\2\0\0\0\0\0\1\0\0\0\0"sv, values)) << "two for one value";
}

TEST(Bind, a_negative_length_other_than_null_is_malformed) {
  EXPECT_FALSE(parse_bind("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"sv));
}

TEST(Bind, nothing_in_it_is_well_formed) {
  EXPECT_EQ(serialize_bind("", "", {}, {}), test::message('B', "\0\0\0\0\0\0\0\0"sv));
  EXPECT_TRUE(parse_bind("\0\0\0\0\0\0\0\0"sv));
}

TEST(Execute, fields_are_read) {
  const auto view = parse_execute("p1\0\0\0\0\5"sv);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->portal, "p1");
  EXPECT_EQ(view->max_rows, 5);
  EXPECT_EQ(serialize_execute("p1", 5), test::message('E', "p1\0\0\0\0\5"sv));
  expect_exact("p1\0\0\0\0\5"sv, parse_execute);
}

TEST(Target, is_a_statement_or_a_portal) {
  EXPECT_TRUE(parse_target("Pp1\0"sv)->is_portal);
  EXPECT_FALSE(parse_target("Ss1\0"sv)->is_portal);
  EXPECT_EQ(parse_target("Ss1\0"sv)->name, "s1");
  EXPECT_FALSE(parse_target("Xs1\0"sv));
  EXPECT_EQ(serialize_close_statement("s1"), test::message('C', "Ss1\0"sv));
  EXPECT_EQ(serialize_close_portal("p1"), test::message('C', "Pp1\0"sv));
  expect_exact("Ss1\0"sv, parse_target);
}

TEST(FunctionCall, begins_with_the_function) {
  const auto call = parse_function_call("\0\0\x08\x1evalues\0\0"sv);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->function, 2078U);
  EXPECT_EQ(call->values, "values");
  EXPECT_EQ(parse_function_call("\0\0\x08\x1e\0"sv)->values, "");
  EXPECT_FALSE(parse_function_call("\0\0\x08"sv).has_value());
}

TEST(Flush, has_no_body) { EXPECT_EQ(serialize_flush(), test::message('H', "")); }

}  // namespace
}  // namespace helios::pgwire
